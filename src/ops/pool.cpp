#include "kernels/pool.h"

#include "graph/device_op.h"
#include "ops/conv_geometry.h"

namespace wende::ops {
namespace {

struct PoolOptions {
  bool max;
  std::vector<int> size;
  ConvOptions walk;
  bool counted;

  void attributes(AttributeVisitor& visitor) const {
    visitor.field("max", max);
    visitor.field("size", size);
    conv_attributes(visitor, walk);
    visitor.field("counted", counted);
  }
  cpu::PoolGeometry geometry(const Tensor& x, const Tensor& y) const {
    cpu::PoolGeometry geometry;
    geometry.walk = conv_geometry(walk, {size.begin(), size.end()}, x, y);
    std::copy(size.begin(), size.end(), geometry.size.begin());
    geometry.counted = counted;
    return geometry;
  }
};

/// x (maximum only), dy -> dx.
class PoolGradOp final : public DeviceOp {
 public:
  PoolGradOp(PoolOptions options, std::vector<Dim> dims) : options_(std::move(options)), dims_(std::move(dims)) {}
  std::string_view name() const override { return "pool_grad"; }
  void attributes(AttributeVisitor& visitor) const override {
    options_.attributes(visitor);
    visitor.field("dims", dims_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kFloat32, dims_}}; }
  void run(RunContext& context) const override {
    const Tensor& dx = context.output(0);
    if (options_.max) {
      const Tensor& x = context.input(0);
      const cpu::PoolGeometry geometry = options_.geometry(x, context.input(1));
      WENDE_ON_DEVICE(context.device(), max_pool_grad(x, context.input(1), geometry, dx));
    } else {
      const cpu::PoolGeometry geometry = options_.geometry(dx, context.input(0));
      WENDE_ON_DEVICE(context.device(), mean_pool_grad(context.input(0), geometry, dx));
    }
  }

 private:
  PoolOptions options_;
  std::vector<Dim> dims_;
};

class PoolOp final : public DeviceOp {
 public:
  PoolOp(PoolOptions options, std::vector<Dim> spatial) : options_(std::move(options)), spatial_(std::move(spatial)) {}
  std::string_view name() const override { return "pool"; }
  void attributes(AttributeVisitor& visitor) const override {
    options_.attributes(visitor);
    visitor.field("spatial", spatial_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const size_t rank = options_.size.size();
    if (inputs[0].dtype != DType::kFloat32 || rank < 1 || rank > 3 || inputs[0].dims.size() != rank + 2) {
      op_error(name(), "needs float32 [B,S...,C] with one to three spatial axes", inputs);
    }
    ExprType out = inputs[0];
    std::copy(spatial_.begin(), spatial_.end(), out.dims.begin() + 1);
    return {out};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    const Tensor& y = context.output(0);
    const cpu::PoolGeometry geometry = options_.geometry(x, y);
    if (options_.max) {
      WENDE_ON_DEVICE(context.device(), max_pool(x, geometry, y));
    } else {
      WENDE_ON_DEVICE(context.device(), mean_pool(x, geometry, y));
    }
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const auto op = std::make_shared<const PoolGradOp>(options_, context.input(0).dims());
    return {options_.max ? context.graph.add(op, {context.input(0), context.grad()})
                         : context.graph.add(op, {context.grad()})};
  }

 private:
  PoolOptions options_;
  std::vector<Dim> spatial_;
};

}  // namespace

Expr pool(Expr x, bool max, const std::vector<int>& size, const ConvOptions& options, bool counted,
          const std::vector<Dim>& spatial) {
  return x.graph->add(std::make_shared<const PoolOp>(PoolOptions{max, size, options, counted}, spatial), {x});
}

}  // namespace wende::ops

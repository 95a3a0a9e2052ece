#include "ops/conv.h"

#include "graph/device_op.h"
#include "ops/conv_geometry.h"

namespace wende::ops {
namespace {

/// The three products of a convolution's x, w and y, of which each is the gradient of the others.
class ConvOp final : public DeviceOp {
 public:
  enum class Result { kOutput, kInput, kFilter };

  ConvOp(Result result, ConvOptions options, std::vector<Dim> dims)
      : result_(result), options_(std::move(options)), dims_(std::move(dims)) {}

  std::string_view name() const override {
    return result_ == Result::kOutput ? "conv" : result_ == Result::kInput ? "transposed_conv" : "conv_filter_grad";
  }
  void attributes(AttributeVisitor& visitor) const override {
    conv_attributes(visitor, options_);
    visitor.field("dims", dims_);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const ExprType out{DType::kFloat32, dims_};
    // inputs and result as x, w, y
    const ExprType& x = result_ == Result::kInput ? out : inputs[0];
    const ExprType& w = result_ == Result::kFilter ? out : inputs[1];
    const ExprType& y = result_ == Result::kOutput ? out : inputs[result_ == Result::kInput ? 0 : 1];
    for (const ExprType& input : inputs) {
      if (input.dtype != DType::kFloat32) op_error(name(), "takes float32", inputs);
    }
    const size_t rank = options_.strides.size();
    if (rank < 1 || rank > 3 || x.dims.size() != rank + 2 || y.dims.size() != rank + 2 || w.dims.size() != rank + 2) {
      op_error(name(), "needs [B,S...,C] with one to three spatial axes, and a filter of the same rank", inputs);
    }
    const Dim& in = w.dims[rank];
    if (x.dims.back().size() != in.size() * options_.groups || !y.dims.back().same_size(w.dims.back())) {
      op_error(name(), "the channels do not fit", inputs);
    }
    return {out};
  }

  void run(RunContext& context) const override {
    const Tensor& first = context.input(0);
    const Tensor& second = context.input(1);
    const Tensor& out = context.output(0);
    const Tensor& x = result_ == Result::kInput ? out : first;
    const Tensor& w = result_ == Result::kFilter ? out : second;
    const Tensor& y = result_ == Result::kOutput ? out : result_ == Result::kInput ? first : second;
    std::vector<int64_t> window;
    for (int i = 0; i + 2 < w.rank(); ++i) window.push_back(w.dim(i));
    const cpu::ConvGeometry geometry = conv_geometry(options_, window, x, y);
    if (result_ == Result::kOutput) {
      WENDE_ON_DEVICE(context.device(), conv(x, w, geometry, y));
    } else if (result_ == Result::kInput) {
      WENDE_ON_DEVICE(context.device(), conv_input_grad(y, w, geometry, x));
    } else {
      WENDE_ON_DEVICE(context.device(), conv_filter_grad(x, y, geometry, w));
    }
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    const auto add = [&](Result result, Expr a, Expr b, size_t input) {
      if (!context.needed[input]) return Expr{};
      const std::vector<Dim>& dims = context.input(static_cast<int>(input)).dims();
      return context.graph.add(std::make_shared<const ConvOp>(result, options_, dims), {a, b});
    };
    const Expr g = context.grad();
    const Expr first = context.input(0);
    const Expr second = context.input(1);
    if (result_ == Result::kOutput) {  // x, w
      return {add(Result::kInput, g, second, 0), add(Result::kFilter, first, g, 1)};
    }
    if (result_ == Result::kInput) {  // y, w
      return {add(Result::kOutput, g, second, 0), add(Result::kFilter, g, first, 1)};
    }
    return {add(Result::kInput, second, g, 0), add(Result::kOutput, first, g, 1)};  // x, y
  }

 private:
  Result result_;
  ConvOptions options_;
  std::vector<Dim> dims_;
};

std::vector<Dim> result_dims(Expr x, const std::vector<Dim>& spatial, const Dim& channels) {
  std::vector<Dim> dims{x.dim(0)};
  dims.insert(dims.end(), spatial.begin(), spatial.end());
  dims.push_back(channels);
  return dims;
}

}  // namespace

Expr conv(Expr x, Expr w, const ConvOptions& options, const std::vector<Dim>& spatial) {
  return x.graph->add(
      std::make_shared<const ConvOp>(ConvOp::Result::kOutput, options, result_dims(x, spatial, w.dim(-1))), {x, w});
}

Expr transposed_conv(Expr x, Expr w, const ConvOptions& options, const std::vector<Dim>& spatial) {
  return x.graph->add(
      std::make_shared<const ConvOp>(ConvOp::Result::kInput, options, result_dims(x, spatial, w.dim(-2))), {x, w});
}

}  // namespace wende::ops

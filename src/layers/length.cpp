#include "layers/axis_option.h"
#include "ops/pointwise.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct LengthArgs {
  Value axis;
  std::string dtype = "int32";
  bool add_time_axis = false;
  bool sparse = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "whose lengths (time); of an axis of fixed size, or of the batch, one number");
    v.field("dtype", dtype, "of the result");
    v.field("add_time_axis", add_time_axis, "gives [B,1]");
    v.field("sparse", sparse, "accepted; has no effect");
  }
};

class LengthLayer : public Layer {
 public:
  explicit LengthLayer(LengthArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error("length takes one input");
    }
    const Data& x = context.sources[0];
    const int axis = axis_or_time(x, args_.axis, context.behavior_version);
    dim_ = x.dims[static_cast<size_t>(axis)];
    Data out;
    out.name = context.name;
    out.dtype = dtype_from_name(args_.dtype);
    if (!args_.add_time_axis && (dim_.is_static() || dim_.is_batch())) {
      return out;
    }
    if (dim_.is_static() || dim_.is_batch() || !x.has_batch()) {
      throw context.options.error("length needs an axis with sequence lengths, got " + x.str());
    }
    out.dims = {x.dims[static_cast<size_t>(x.batch_axis())]};
    if (args_.add_time_axis) {
      out.dims.push_back(Dim::fixed(1, Dim::Kind::kSpatial, context.absolute_name + ":length"));
      out.time_axis = 1;
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const DType dtype = builder.out_data().dtype;
    if (builder.out_data().rank() == 0) {
      return ops::cast(ops::dim_size(builder.graph(), dim_), dtype);
    }
    const Expr lengths = ops::cast(builder.lengths(dim_), dtype);
    return args_.add_time_axis ? ops::reshape(lengths, builder.out_data().dims) : lengths;
  }

 private:
  LengthArgs args_;
  Dim dim_;
};

const RegisterLayer<LengthLayer, LengthArgs> kRegister{
    "length", {}, "The sequence lengths, [B].", {R"({"class": "length", "from": "data"})"}};

}  // namespace
}  // namespace wende

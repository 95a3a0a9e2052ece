#include "layers/axis_option.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct LengthArgs {
  Value axis;
  std::string dtype = "int32";
  bool add_time_axis = false;
  bool sparse = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "whose lengths (time)");
    v.field("dtype", dtype, "of the result");
    v.field("add_time_axis", add_time_axis, "must be False");
    v.field("sparse", sparse, "accepted; has no effect");
  }
};

class LengthLayer : public Layer {
 public:
  explicit LengthLayer(LengthArgs args) : args_(std::move(args)) {
    if (args_.add_time_axis) {
      throw Error(ExitStatus::kConfig, "length with add_time_axis is not supported by Wende " WENDE_VERSION);
    }
  }

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error("length takes one input");
    }
    const Data& x = context.sources[0];
    const int axis =
        args_.axis.is_none() ? axis_from_description(x, "T") : axis_of_option(x, args_.axis, context.behavior_version);
    dim_ = x.dims[static_cast<size_t>(axis)];
    if (dim_.is_static() || !x.has_batch()) {
      throw context.options.error("length needs an axis with sequence lengths, got " + x.str());
    }
    Data out;
    out.name = context.name;
    out.dtype = dtype_from_name(args_.dtype);
    out.dims = {x.dims[static_cast<size_t>(x.batch_axis())]};
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    return ops::cast(builder.lengths(dim_), builder.out_data().dtype);
  }

 private:
  LengthArgs args_;
  Dim dim_;
};

const RegisterLayer<LengthLayer, LengthArgs> kRegister{
    "length", {}, "The sequence lengths, [B].", {R"({"class": "length", "from": "data"})"}};

}  // namespace
}  // namespace wende

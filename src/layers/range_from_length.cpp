#include "layers/axis_option.h"
#include "layers/layer_builder.h"
#include "ops/found_size.h"
#include "ops/leaf.h"

namespace wende {
namespace {

struct RangeFromLengthArgs {
  std::string dtype = "int32";
  Value out_spatial_dim;

  template <class V>
  void fields(V& v) {
    v.field("dtype", dtype, "must be \"int32\"");
    v.field("out_spatial_dim", out_spatial_dim, "dim tag of the new axis");
  }
};

/// 0, 1, 2, ... along an axis that is as long as the input says.
class RangeFromLengthLayer : public Layer {
 public:
  explicit RangeFromLengthLayer(const RangeFromLengthArgs& args) {
    if (args.dtype != "int32") {
      throw Error(ExitStatus::kConfig, "range_from_length: dtype must be \"int32\", got \"" + args.dtype + "\"");
    }
  }

  Data out_data(const LayerContext& context) override {
    const bool one = context.sources.size() == 1;
    if (!one || context.sources[0].dtype != DType::kInt32 || context.sources[0].rank() > 1 ||
        (context.sources[0].rank() == 1 && !context.sources[0].has_batch())) {
      throw context.options.error("range_from_length takes one input, int32 [B] or one number" +
                                  (one ? ", got " + context.sources[0].str() : std::string()));
    }
    if (context.loop_time.defined()) {
      throw context.options.error("range_from_length inside of a loop is not supported by Wende " WENDE_VERSION);
    }
    Data out;
    out.name = context.name;
    out.dims = {Dim::dynamic("range:" + context.absolute_name)};
    name_axes(context, "out_spatial_dim", out.dims);
    out.dtype = DType::kInt32;
    out.time_axis = 0;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Dim& dim = builder.out_data().dims[0];
    ops::found_lengths(builder.source(0).expr, dim);
    return ops::range(builder.graph(), dim);
  }
};

const RegisterLayer<RangeFromLengthLayer, RangeFromLengthArgs> kRegister{
    "range_from_length",
    {},
    "0, 1, 2, ... along a new axis whose lengths are the input, int32 [B] or one number.",
    {R"({"class": "range_from_length", "from": "lengths"})"}};

}  // namespace
}  // namespace wende

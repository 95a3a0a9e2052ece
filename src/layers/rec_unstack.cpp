#include <fmt/core.h>

#include "layers/layer_builder.h"

namespace wende {
namespace {

struct RecUnstackArgs {
  Value axis;
  bool declare_rec_time = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that the loop runs over");
    v.field("declare_rec_time", declare_rec_time, "the loop is as long as this axis");
  }
};

/// The source itself: the network hands out its frames in the loop, as of each layer that stands on all frames.
class RecUnstackLayer : public Layer {
 public:
  explicit RecUnstackLayer(RecUnstackArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error(fmt::format("rec_unstack takes one input, got {}", context.sources.size()));
    }
    return context.sources[0].with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override { return builder.source(0).expr; }

 private:
  RecUnstackArgs args_;
};

const RegisterLayer<RecUnstackLayer, RecUnstackArgs> kRegister{
    "rec_unstack",
    {},
    "In the unit of a rec layer: the frames of a layer outside, one in each step.",
    {R"({"class": "rec", "from": [], "unit": {)"
     R"("x": {"class": "rec_unstack", "from": "base:data", "axis": "T", "declare_rec_time": True}, )"
     R"("output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["x", "prev:output"]}}})"}};

}  // namespace
}  // namespace wende

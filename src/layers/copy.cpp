#include "layers/activation.h"
#include "layers/concat_input.h"
#include "layers/layer_builder.h"

namespace wende {
namespace {

struct CopyArgs {
  Value extra_deps;

  template <class V>
  void fields(V& v) {
    v.field("extra_deps", extra_deps, "further layers that this one waits for");
  }
};

/// Dropout comes with LayerBuilder::input, so that "dropout" is the same layer under another name.
class CopyLayer : public Layer {
 public:
  explicit CopyLayer(CopyArgs) {}
  Data out_data(const LayerContext& context) override { return concat_input_data(context.sources, context.name); }
  Expr build(LayerBuilder& builder) override {
    pass_on_logits(builder);
    return builder.input().expr;
  }
};

const RegisterLayer<CopyLayer, CopyArgs> kRegister{
    "copy",
    {},
    "Concatenates its sources on the feature axis, and nothing else.",
    {R"({"class": "copy", "from": "data"})", R"({"class": "copy", "from": ["data", "data"]})"}};
const RegisterLayer<CopyLayer, CopyArgs> kRegisterDropout{
    "dropout", {}, "Drops inputs in training.", {R"({"class": "dropout", "dropout": 0.2, "from": "data"})"}};

}  // namespace
}  // namespace wende

#include "layers/layer_builder.h"
#include "ops/leaf.h"
#include "ops/run_value.h"

namespace wende {
namespace {

struct NoArgs {
  template <class V>
  void fields(V&) {}
};

Data scalar(const LayerContext& context, DType dtype) {
  Data out;
  out.name = context.name;
  out.dtype = dtype;
  return out;
}

class TrainFlagLayer : public Layer {
 public:
  explicit TrainFlagLayer(const NoArgs&) {}
  Data out_data(const LayerContext& context) override { return scalar(context, DType::kBool); }
  Expr build(LayerBuilder& builder) override {
    return ops::constant(builder.graph(), builder.context().train ? 1.0 : 0.0, DType::kBool);
  }
};

class GlobalTrainStepLayer : public Layer {
 public:
  explicit GlobalTrainStepLayer(const NoArgs&) {}
  Data out_data(const LayerContext& context) override { return scalar(context, DType::kInt32); }
  Expr build(LayerBuilder& builder) override { return ops::step_number(builder.graph()); }
};

const RegisterLayer<TrainFlagLayer, NoArgs> kRegister{
    "train_flag", {}, "True in training: a bool scalar.", {R"({"class": "train_flag", "is_output_layer": True})"}};
const RegisterLayer<GlobalTrainStepLayer, NoArgs> kRegisterStep{
    "global_train_step",
    {},
    "The number of the training step: an int scalar.",
    {R"({"class": "global_train_step", "is_output_layer": True})"}};

}  // namespace
}  // namespace wende

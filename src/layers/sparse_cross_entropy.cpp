#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "ops/gather.h"
#include "ops/pointwise.h"
#include "ops/softmax.h"

namespace wende {
namespace {

struct SparseSoftmaxCrossEntropyArgs {
  Value logits, targets, axis;

  template <class V>
  void fields(V& v) {
    v.field("logits", logits, "layer of scores before the softmax");
    v.field("targets", targets, "layer of labels");
    v.field("axis", axis, "the axis of classes (feature)");
  }
};

class SparseSoftmaxCrossEntropyLayer : public Layer {
 public:
  explicit SparseSoftmaxCrossEntropyLayer(SparseSoftmaxCrossEntropyArgs args) : args_(std::move(args)) {
    for (const Value* name : {&args_.logits, &args_.targets}) {
      if (!name->is_string()) {
        throw name->error("'logits' and 'targets' are needed: names of layers, got " + name->repr());
      }
    }
  }

  std::vector<std::string> refs() const override { return {args_.logits.as_string(), args_.targets.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data& logits = context.refs.at(args_.logits.as_string());
    const Data& targets = context.refs.at(args_.targets.as_string());
    axis_ = args_.axis.is_none() ? logits.feature_axis : axis_of_option(logits, args_.axis, context.behavior_version);
    if (axis_ < 0 || logits.dtype != DType::kFloat32) {
      throw args_.logits.error("logits need an axis of classes, got " + logits.str());
    }
    const Dim& classes = logits.dims[static_cast<size_t>(axis_)];
    const bool labels = targets.dtype == DType::kInt32;
    if (!labels || (targets.sparse() && !targets.sparse_dim.same_size(classes))) {
      throw args_.targets.error(fmt::format("labels of {} classes are needed, got {}", classes.str(), targets.str()));
    }
    return logits.without_axis(axis_).with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput logits = builder.ref(args_.logits.as_string());
    LayerOutput targets = builder.ref(args_.targets.as_string());
    targets.data.sparse_dim = Dim();
    const Expr scores = ops::log_softmax(permute_if_needed(logits.expr, order_with_last(logits.data.rank(), axis_)));
    const Expr labels = broadcast_to_layout(targets, builder.out_data());
    return ops::scale(ops::pick_last(scores, labels), -1.0);
  }

 private:
  SparseSoftmaxCrossEntropyArgs args_;
  int axis_ = 0;
};

const RegisterLayer<SparseSoftmaxCrossEntropyLayer, SparseSoftmaxCrossEntropyArgs> kRegister{
    "sparse_softmax_cross_entropy_with_logits",
    {},
    "Cross entropy of labels, of each frame.",
    {R"({"class": "subnetwork", "from": "lstm", "subnetwork": {)"
     R"("best": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "data"}, )"
     R"("output": {"class": "sparse_softmax_cross_entropy_with_logits", "logits": "data", "targets": "best"}}})"}};

}  // namespace
}  // namespace wende

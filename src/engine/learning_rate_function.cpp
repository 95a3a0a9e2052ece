#include "engine/learning_rate_function.h"

#include <memory>
#include <mutex>

#include "graph/executor.h"
#include "layers/eval_trace.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

const char* const kStep = "global_train_step";
const char* const kRate = "learning_rate";

/// The graph of a learning rate as a function of step and base rate.
class TracedLearningRate : public Callable {
 public:
  explicit TracedLearningRate(const Value& function) : graph_(std::make_unique<Graph>()) {
    const Expr step = ops::input(*graph_, kStep, DType::kInt32, {});
    const Expr rate = ops::input(*graph_, kRate, DType::kFloat32, {});
    const GraphTrace trace(*graph_);
    const KeywordArgs arguments{{"network", Value()}, {kStep, traced(step)}, {kRate, traced(rate)}};
    const Expr result = traced_expr(*graph_, function.as_callable().call({}, arguments));
    if (result.rank() != 0) {
      throw function.error("dynamic_learning_rate must return one number, got " + result.type().str());
    }
    executor_ = std::make_unique<Executor>(*graph_, std::vector<Fetch>{{ops::cast(result, DType::kFloat32), {}}});
  }

  Value call(const std::vector<Value>&, const std::vector<std::pair<std::string, Value>>& kwargs) const override {
    const std::lock_guard lock(mutex_);
    for (const std::string& leaf : executor_->leaf_names()) {
      for (const auto& [key, value] : kwargs) {
        if (key == leaf) {
          executor_->bind(leaf, key == kStep ? Tensor::of<int32_t>({static_cast<int32_t>(value.as_int())}, Shape{})
                                             : Tensor::scalar(static_cast<float>(value.as_float())));
        }
      }
    }
    return Value::of(static_cast<double>(executor_->run(Binding())[0].data<float>()[0]));
  }
  std::string name() const override { return "dynamic_learning_rate"; }

 private:
  std::unique_ptr<Graph> graph_;
  std::unique_ptr<Executor> executor_;
  mutable std::mutex mutex_;
};

}  // namespace

Config with_traced_learning_rate(Config config) {
  const Value* function = config.find("dynamic_learning_rate");
  if (function == nullptr || !function->is_callable()) {
    return config;
  }
  try {
    const auto traced = std::make_shared<const TracedLearningRate>(*function);
    config.set("dynamic_learning_rate", Value::callable(traced).placed(function->span(), function->path()));
  } catch (const Error&) {
    // Not for tensors: the updater calls it with numbers, and reports what is wrong with it then.
  }
  return config;
}

}  // namespace wende

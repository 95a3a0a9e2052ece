#include "engine/meta_update.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/placement.h"

namespace wende {

MetaUpdate::MetaUpdate(const NetworkWithGradients& built, std::vector<Expr>& extra) : first_(extra.size()) {
  for (const auto& [name, gradient] : built.meta_gradients) {
    names_.push_back(name);
    extra.push_back(gradient);
  }
  const auto summed = [](const ops::MetaLoss& meta) { return meta.summed; };
  summed_ = std::all_of(built.meta.begin(), built.meta.end(), summed);
  mixed_ = !summed_ && std::any_of(built.meta.begin(), built.meta.end(), summed);
}

std::map<std::string, Tensor> MetaUpdate::gradients(const NetworkRunner& runner) const {
  std::map<std::string, Tensor> result;
  for (size_t i = 0; i < names_.size(); ++i) {
    result[names_[i]] = runner.extra_values()[first_ + i];
  }
  return result;
}

void MetaUpdate::apply(const NetworkRunner& runner, bool has_batch, const StepReport& report, ParamStore& store,
                       Updater& updater, Communicator& communicator, double learning_rate, int64_t step,
                       int epoch) const {
  if (names_.empty()) {
    return;
  }
  if (mixed_ && communicator.size() > 1) {
    throw Error(
        ExitStatus::kConfig,
        "tikhonov_regularization beside synthetic_gradient in one network is not supported on several processes");
  }
  // A mean over the rank's elements becomes the mean weighted by their numbers, a sum the sum of all ranks.
  double elements[2] = {has_batch && !report.meta.empty() ? 1.0 / report.meta.front().inv_norm : 0.0, 0.0};
  elements[1] = elements[0];
  communicator.all_sum(elements + 1, 1);
  const double share = summed_ ? 1.0 : elements[1] > 0 ? elements[0] / elements[1] : 0.0;
  clear(store.flat_gradients());
  std::map<std::string, bool> present;
  for (size_t i = 0; i < names_.size(); ++i) {
    present[names_[i]] = true;
    if (!has_batch) {
      continue;
    }
    const Tensor gradient = runner.extra_values()[first_ + i].as_contiguous();
    change_on_host(store.gradient(names_[i]), [&](const Tensor& target) {
      float* to = target.data<float>();
      for (int64_t k = 0; k < gradient.elements(); ++k) {
        to[k] = static_cast<float>(share * static_cast<double>(gradient.data<float>()[k]));
      }
    });
  }
  if (communicator.size() > 1) {
    change_on_host(store.flat_gradients(), [&](const Tensor& all) {
      communicator.all_sum(all.data<float>(), static_cast<size_t>(all.elements()));
    });
  }
  updater.step(learning_rate, step, epoch, present, UpdateBy::kMetaLosses);
}

}  // namespace wende

/// One training step: gradients, what the ranks agree on, the update.
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/progress.h"
#include "engine/non_finite.h"
#include "engine/pass.h"
#include "engine/rank_sums.h"
#include "engine/step_log.h"
#include "engine/stop_signal.h"
#include "network/random_seeds.h"
#include "tensor/finite.h"
#include "tensor/placement.h"

namespace wende {

namespace {

void add_reports(std::vector<LossReport>& sums, const std::vector<LossReport>& step) {
  for (size_t i = 0; i < sums.size(); ++i) {
    sums[i].value += step[i].value;
    sums[i].error += step[i].error;
    sums[i].inv_norm += step[i].inv_norm;
  }
}

}  // namespace

void add_losses(const StepReport& report, PassResult& result) {
  add_reports(result.losses, report.losses);
  add_reports(result.meta, report.meta);
}

Engine::StepFlags Engine::own_flags(const Pass& pass, const StepReport& report) const {
  StepFlags flags;
  flags.stop = stop_requested() ? 1 : 0;
  if (!pass.train) {
    return flags;
  }
  const bool own_gradients = distributed_.reduce == DistributedOptions::Reduce::kParameters;
  const bool bad = !std::isfinite(report.objective()) ||
                   (own_gradients && !filters_gradients_ && !numbers_finite(store_->flat_gradients()));
  flags.non_finite = bad ? 1 : 0;
  if (communicator_.is_root()) {  // its clock decides for all
    const double now = monotonic_seconds();
    flags.checkpoint = checkpoint_seconds_ > 0 && now - last_checkpoint_ >= checkpoint_seconds_ ? 1 : 0;
    flags.sync_parameters =
        distributed_.param_sync_seconds > 0 && now - last_parameter_sync_ >= distributed_.param_sync_seconds ? 1 : 0;
  }
  return flags;
}

void Engine::sum_over_ranks(StepReport& report, StepFlags& flags) const {
  const StepReport own = report;
  std::vector<double> values = flatten(report);
  values.insert(values.end(), {flags.stop, flags.checkpoint, flags.non_finite, flags.sync_parameters});
  communicator_.all_sum(values.data(), values.size());
  const double* end = values.data() + values.size();
  flags = {end[-4], end[-3], end[-2], end[-1]};
  unflatten(values, report);
  if (distributed_.reduce == DistributedOptions::Reduce::kParameters) {
    report.rows = own.rows;
  }
  if (distributed_.ranks_report_alone()) {
    report = own;
  } else if (distributed_.horovod) {
    report.loss /= communicator_.size();
    report.constraints /= communicator_.size();
  }
}

void Engine::assign_parameters(NetworkRunner& runner, bool ran) const {
  runner.assign_parameters(ran, [this](float* data, size_t count) { communicator_.all_sum(data, count); });
}

RunOptions Engine::run_options() const {
  RunOptions options;
  options.seed = graph_seed(config_);
  options.step = static_cast<uint64_t>(runs_);
  options.check_numerics = config_.get_bool("debug_add_check_numerics_on_output", false);
  return options;
}

StepReport Engine::compute_gradients(const std::optional<Batch>& batch, double learning_rate, BatchFeed& feed) {
  const PhaseScope phase(phases::kCompute);
  const bool exchange = distributed_.reduce == DistributedOptions::Reduce::kGradients;
  StepReport report = train_runner_->empty_report();
  buckets_->begin_step();
  for (const std::string& name : training_.updated) {
    if (training_.gradients.count(name) == 0) {  // only its constraint moves it, and another rank has that
      clear(store_->gradient(name));
    }
  }
  fault_point("forward");
  if (batch) {
    const bool record = recorder_->wants(global_step_);
    if (record) {
      recorder_->before(*batch, *store_, learning_rate, runs_);
    }
    RunOptions options = run_options();
    options.launched = [&feed] { feed.look_ahead(); };
    report = train_runner_->run(*batch, options, [&](const std::string& param) {
      fault_point("backward");
      if (exchange) {
        buckets_->ready(param_index_.at(param));
      }
    });
    if (record) {
      recorder_->after(report, *store_, training_.gradients);
    }
  } else {  // this rank has run out of data: it adds zero, so that the step is that of the others' batches
    train_runner_->skip(run_options());
    clear(store_->flat_gradients());
  }
  fault_point("allreduce");
  if (exchange) {
    buckets_->finish();
  }
  return report;
}

/// From a sum over the ranks to their mean.
void Engine::divide_by_ranks(const Tensor& sum) const {
  const float share = 1.0f / static_cast<float>(communicator_.size());
  float* x = sum.data<float>();
  std::transform(x, x + sum.elements(), x, [share](float value) { return value * share; });
}

void Engine::update(double learning_rate, int epoch, std::map<std::string, RowSums> rows) {
  const PhaseScope phase(phases::kOptimizer);
  fault_point("optimizer");
  if (distributed_.average_gradients && distributed_.reduce == DistributedOptions::Reduce::kGradients) {
    change_on_host(store_->flat_gradients(), [this](const Tensor& gradients) { divide_by_ranks(gradients); });
    for (auto& [param, sums] : rows) {
      sums.squares /= communicator_.size() * communicator_.size();
    }
  }
  const double scale = distributed_.scale_learning_rate ? communicator_.size() : 1;
  updater_->step(learning_rate * scale, global_step_, epoch, has_gradient_, UpdateBy::kObjective, rows);
  share_parameters();
  if (fault_due("bitflip", "optimizer")) {
    change_on_host(store_->flat_values(), [](const Tensor& values) { values.data<float>()[0] += 1.0f; });
  }
}

/// The mean over the ranks of all trainable parameters (horovod_reduce_type "param").
void Engine::average_parameters() {
  for (const std::string& name : store_->trainable_names()) {
    change_on_host(store_->value(name), [this](const Tensor& value) {
      communicator_.all_sum(value.data<float>(), static_cast<size_t>(value.elements()));
      divide_by_ranks(value);
    });
  }
  last_parameter_sync_ = monotonic_seconds();
}

/// Sums over the ranks, so all of them see the same; of shards only the owners do.
bool Engine::gradients_not_finite() const {
  if (filters_gradients_ || distributed_.reduce != DistributedOptions::Reduce::kGradients) {
    return false;
  }
  int64_t bad = numbers_finite(store_->flat_gradients()) ? 0 : 1;
  if (shards_ != nullptr) {
    communicator_.all_max(&bad, 1);
  }
  return bad > 0;
}

bool Engine::skip_non_finite(const Pass& pass, const StepReport& report, const std::optional<Batch>& batch,
                             int64_t step) {
  const int64_t most = config_.get_int("skip_nonfinite_steps", 0);
  const std::string where = fmt::format("epoch {} step {}", pass.epoch, step);
  const std::string gradient = numbers_finite(store_->flat_gradients()) ? "finite" : "not finite";
  std::string own;
  if (batch) {
    own = find_non_finite(*train_runner_, run_options());
  }
  if (!own.empty()) {
    own = fmt::format("rank {}: {}", communicator_.rank(), own);
    own += "\nsequences: " + fmt::format("{}", fmt::join(batch->tags, ", ")).substr(0, 300);
    if (model_files_.enabled()) {
      const std::string path = model_files_.non_finite_case_path(global_step_, communicator_.rank());
      try {
        save_replay_case(path, config_, *training_.network, *batch, *store_);
        own += fmt::format("\nthe batch is kept: wende replay {} --out replayed.h5", path);
      } catch (const Error& error) {  // the finding must reach the other ranks and the user all the same
        own += fmt::format("\nthe batch is not kept: {}", error.what());
      }
    }
  }
  std::string found;
  for (const std::string& text : communicator_.gather(own)) {
    found += (found.empty() || text.empty() ? "" : "\n") + text;
  }
  found = communicator_.broadcast_string(found);
  if (found.empty()) {
    found = "no output of a layer is not finite by itself: the sum over frames or ranks is";
  }
  if (skipped_in_a_row_ < most) {
    ++skipped_in_a_row_;
    log_line(1, fmt::format("{}: loss {} or its gradient is not finite; no update ({} of at most {} in a row)\n{}",
                            where, number_text(report.objective()), skipped_in_a_row_, most, found));
    return true;
  }
  throw Error(ExitStatus::kNonFinite,
              fmt::format("{}: the loss is {}, its gradient is {}", where, report.objective(), gradient))
      .frame(found);
}

/// After the numbers of a training step are agreed on: the update, and what comes at intervals.
void Engine::finish_step(const Pass& pass, const StepReport& report, const StepFlags& flags,
                         const std::optional<Batch>& batch, PassResult& result) {
  const bool watch_numbers =
      config_.get_bool("stop_on_nonfinite_train_score", true) || config_.get_int("skip_nonfinite_steps", 0) > 0;
  const bool bad = watch_numbers && (flags.non_finite > 0 || gradients_not_finite());
  if (bad && skip_non_finite(pass, report, batch, result.steps)) {
    ++global_step_;
    return;
  }
  skipped_in_a_row_ = 0;
  assign_parameters(*train_runner_, batch.has_value());
  update(pass.learning_rate, pass.epoch, report.rows);
  meta_update_->apply(*train_runner_, batch.has_value(), report, *store_, *updater_, communicator_, pass.learning_rate,
                      global_step_, pass.epoch);
  add_losses(report, result);
  ++global_step_;
  const bool parameters = distributed_.reduce == DistributedOptions::Reduce::kParameters;
  const int64_t n = distributed_.param_sync_step;
  if (parameters && (distributed_.param_sync_seconds > 0 ? flags.sync_parameters > 0 : result.steps % n == n - 1)) {
    average_parameters();
  }
  if (!parameters && communicator_.size() > 1 && check_interval_ > 0 && global_step_ % check_interval_ == 0) {
    require_equal_parameters(communicator_, store_->flat_values(), global_step_);
  }
  pace_.step_done(global_step_);
  fault_point("step-end");
}

}  // namespace wende

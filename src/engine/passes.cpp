/// The loops over a dataset: training steps, evaluation, forwarding.
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/log.h"
#include "engine/engine.h"
#include "engine/step_log.h"
#include "engine/stop_signal.h"

namespace wende {

/// One pass through a dataset.
struct Engine::Pass {
  std::string name;    ///< "train", "dev", ...
  std::string prefix;  ///< of step lines: "train epoch 1", "epoch 1 'dev' eval"
  Dataset* dataset = nullptr;
  bool train = false;
  int epoch = 1;
  double learning_rate = 0;
};

namespace {

/// Everything of a report that is summed over ranks, flat.
std::vector<double> flatten(const StepReport& report) {
  std::vector<double> values = {report.loss, report.constraints};
  for (const LossReport& loss : report.losses) {
    values.insert(values.end(), {loss.value, loss.error, loss.inv_norm});
  }
  return values;
}

void unflatten(const std::vector<double>& values, StepReport& report) {
  report.loss = values[0];
  report.constraints = values[1];
  for (size_t i = 0; i < report.losses.size(); ++i) {
    report.losses[i] = {values[2 + 3 * i], values[3 + 3 * i], values[4 + 3 * i]};
  }
}

}  // namespace

void Engine::sum_over_ranks(StepReport& report, int64_t& stop) const {
  std::vector<double> values = flatten(report);
  values.push_back(static_cast<double>(stop));
  communicator_.all_sum(values.data(), values.size());
  stop = static_cast<int64_t>(values.back());
  unflatten(values, report);
}

void Engine::assign_parameters(NetworkRunner& runner, bool ran) const {
  runner.assign_parameters(ran, [this](float* data, size_t count) { communicator_.all_sum(data, count); });
}

StepReport Engine::train_step(const std::optional<Batch>& batch, double learning_rate, int epoch) {
  RunOptions options;
  options.seed = static_cast<uint64_t>(config_.get_int("random_seed", 1));
  options.step = static_cast<uint64_t>(global_step_);
  options.check_numerics = config_.get_bool("debug_add_check_numerics_on_output", false);
  StepReport report;
  report.losses.resize(training_.network->losses().size());
  buckets_->begin_step();
  for (const std::string& name : training_.updated) {
    if (training_.gradients.count(name) == 0) {  // only its constraint moves it, and another rank has that
      float* gradient = store_->gradient(name).data<float>();
      std::fill(gradient, gradient + store_->gradient(name).elements(), 0.0f);
    }
  }
  if (batch) {
    report =
        train_runner_->run(*batch, options, [&](const std::string& param) { buckets_->ready(param_index_.at(param)); });
    if (!communicator_.is_root()) {
      report.constraints = 0;
    }
  } else {  // this rank has run out of data: it adds zero, so that the step is that of the others' batches
    float* gradients = store_->flat_gradients().data<float>();
    std::fill(gradients, gradients + store_->flat_gradients().elements(), 0.0f);
  }
  buckets_->finish();
  updater_->step(learning_rate, global_step_, epoch, has_gradient_);
  ++global_step_;
  return report;
}

PassResult Engine::run_pass(Pass& pass) {
  NetworkRunner& runner = pass.train ? *train_runner_ : *eval_runner_;
  HdfDumpCallback& dumps = pass.train ? *train_dumps_ : *eval_dumps_;
  BatchOptions batch_options = BatchOptions::from_config(config_, pass.name, runner.network().has_recurrent_layer());
  batch_options.keys = runner.network().used_data_keys();
  const BatchPlan plan = plan_batches(*pass.dataset, batch_options);
  const int64_t ranks = communicator_.size();
  const int64_t steps = (static_cast<int64_t>(plan.batches.size()) + ranks - 1) / ranks;
  PassResult result;
  result.losses.resize(runner.network().losses().size());
  if (pass.train && mid_epoch_) {
    result.steps = mid_epoch_->counters.at("step_in_epoch");
    for (size_t i = 0; i < result.losses.size(); ++i) {
      result.losses[i] = {mid_epoch_->numbers.at(fmt::format("value/{}", i)),
                          mid_epoch_->numbers.at(fmt::format("error/{}", i)),
                          mid_epoch_->numbers.at(fmt::format("inv_norm/{}", i))};
    }
    mid_epoch_.reset();
  }
  BatchLoader loader(*pass.dataset, plan, batch_options, communicator_.rank(), static_cast<int>(ranks),
                     result.steps * ranks);
  StepLog step_log(config_, runner.network(), pass.prefix, steps);
  const double start = monotonic_seconds();
  dumps.begin_run(pass.name, pass.epoch);
  const bool stop_on_nonfinite = config_.get_bool("stop_on_nonfinite_train_score", true);
  while (result.steps < steps && !result.stopped) {
    const std::optional<Batch> batch = loader.next();
    const double step_start = monotonic_seconds();
    StepReport report;
    report.losses.resize(result.losses.size());
    report = pass.train ? train_step(batch, pass.learning_rate, pass.epoch) : batch ? runner.run(*batch) : report;
    assign_parameters(runner, batch.has_value());
    if (!dumps.empty()) {
      dumps.add_batch(batch.value_or(Batch()), runner.extra_values(), runner.binding());
    }
    int64_t stop = pass.train && stop_requested() ? 1 : 0;
    sum_over_ranks(report, stop);
    for (size_t i = 0; i < result.losses.size(); ++i) {
      result.losses[i].value += report.losses[i].value;
      result.losses[i].error += report.losses[i].error;
      result.losses[i].inv_norm += report.losses[i].inv_norm;
    }
    if (pass.train && stop_on_nonfinite && !std::isfinite(report.objective())) {
      throw Error(ExitStatus::kNonFinite,
                  fmt::format("epoch {} step {}: the loss is {}", pass.epoch, result.steps, report.objective()))
          .frame(fmt::format("sequences: {}",
                             batch ? fmt::format("{}", fmt::join(batch->tags, ", ")).substr(0, 300) : "none here"));
    }
    step_log.step(result.steps, report, batch ? &*batch : nullptr, monotonic_seconds() - step_start);
    ++result.steps;
    result.stopped = stop > 0;
  }
  dumps.end_run();
  result.seconds = monotonic_seconds() - start;
  step_log.finish(result.steps, result.seconds);
  return result;
}

PassResult Engine::train_epoch(int epoch, double learning_rate) {
  Pass pass{"train", fmt::format("train epoch {}", epoch), datasets_.at("train").get(), true, epoch, learning_rate};
  pass.dataset->init_epoch(epoch);
  return run_pass(pass);
}

std::map<std::string, PassResult> Engine::evaluate_all(int epoch) {
  std::vector<std::pair<std::string, Value>> sets;
  for (const char* role : {"dev", "eval"}) {
    if (const Value* options = config_.find(role); options != nullptr && !options->is_none()) {
      sets.emplace_back(role, *options);
    }
  }
  if (const Value* more = config_.find("eval_datasets"); more != nullptr && more->is_dict()) {
    for (const auto& [name, options] : more->entries()) {
      sets.emplace_back(name.as_string(), options);
    }
  }
  std::map<std::string, PassResult> results;
  for (const auto& [name, options] : sets) {
    Pass pass{name, fmt::format("epoch {} '{}' eval", epoch, name), &dataset(name, options), false, epoch, 0};
    pass.dataset->init_epoch(epoch);
    results[name] = run_pass(pass);
  }
  return results;
}

void Engine::forward() {
  build_eval_network(false);
  const Value* options = config_.find("eval");
  for (const char* role : {"forward_data", "eval", "dev"}) {
    if (options == nullptr) {
      options = config_.find(role);
    }
  }
  if (options == nullptr) {
    throw Error(ExitStatus::kConfig, "task 'forward' needs 'eval': a dataset");
  }
  const int epoch = restore();
  Pass pass{"forward", fmt::format("forward epoch {}", epoch), &dataset("forward", *options), false, epoch, 0};
  pass.dataset->init_epoch(epoch);
  const PassResult result = run_pass(pass);
  eval_dumps_->close();
  log_line(1, fmt::format("forwarded in {} steps, elapsed {}", result.steps, format_hms(result.seconds)));
}

}  // namespace wende

/// The loops over a dataset: training steps, evaluation, forwarding.
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "engine/batch_feed.h"
#include "engine/pass.h"
#include "engine/rank_sums.h"
#include "engine/run_report.h"
#include "engine/step_log.h"
#include "engine/stop_signal.h"

namespace wende {

namespace {

StepReport evaluate_step(NetworkRunner& runner, const std::optional<Batch>& batch, BatchFeed& feed) {
  const PhaseScope phase(phases::kCompute);
  if (batch) {
    RunOptions options;
    options.launched = [&feed] { feed.look_ahead(); };
    return runner.run(*batch, options);
  }
  runner.skip();
  return runner.empty_report();
}

StepReport sums_of(const PassResult& result) {
  StepReport sums;
  sums.losses = result.losses;
  sums.meta = result.meta;
  return sums;
}

}  // namespace

Engine::PassPlan Engine::plan_pass(const Pass& pass, const BatchOptions& options) const {
  PassPlan plan;
  plan.batches = plan_batches(*pass.dataset, options);
  const bool everything = distributed_.data == DistributedOptions::Data::kEverything;
  plan.ranks = everything ? 1 : communicator_.size();
  plan.rank = everything ? 0 : communicator_.rank();
  const int64_t count = static_cast<int64_t>(plan.batches.batches.size());
  if (pass.train && mid_epoch_) {
    plan.first_batch = std::min(mid_epoch_->counters.at("batches_done"), count);
    plan.first_step = mid_epoch_->counters.at("step_in_epoch");
  }
  const auto uneven = pass.train ? distributed_.uneven_training : distributed_.uneven_evaluation;
  const bool join = uneven == DistributedOptions::Uneven::kJoin;
  int64_t rounds = (count - plan.first_batch + (join ? plan.ranks - 1 : 0)) / plan.ranks;
  if (everything) {  // the ranks' own counts may differ
    int64_t agreed = join ? rounds : -rounds;
    communicator_.all_max(&agreed, 1);
    rounds = join ? agreed : -agreed;
  }
  plan.steps = plan.first_step + rounds;
  return plan;
}

void Engine::begin_pass(const Pass& pass, PassResult& result, const PassPlan& plan) {
  result.steps = plan.first_step;
  result.batches = plan.first_batch;
  if (pass.train && mid_epoch_) {
    for (size_t i = 0; i < result.losses.size(); ++i) {
      result.losses[i] = {mid_epoch_->numbers.at(fmt::format("value/{}", i)),
                          mid_epoch_->numbers.at(fmt::format("error/{}", i)),
                          mid_epoch_->numbers.at(fmt::format("inv_norm/{}", i))};
    }
    mid_epoch_.reset();
  }
  if (pass.train) {
    pace_.begin();
    status_.begin_epoch(pass.epoch, plan.steps, plan.first_step);
    last_checkpoint_ = last_parameter_sync_ = monotonic_seconds();
  }
}

void Engine::step_done(const Pass& pass, const StepReport& report, const StepFlags& flags, int64_t steps,
                       const PassResult& result) {
  if (!memory_told_) {
    memory_told_ = true;
    log_line(3, memory_line(state_bytes(), train_runner_->executor().arena_bytes()));
  }
  status_.checkpoint_took(writer_.last_seconds());
  status_.step_done(result.steps, report.objective());
  save_at_interval(pass.epoch, result, flags, steps);
}

BatchOptions Engine::batch_options(const Pass& pass) const {
  const Network& network = pass.train ? train_runner_->network() : eval_runner_->network();
  BatchOptions options = BatchOptions::from_config(config_, pass.name, network.has_recurrent_layer());
  options.keys = network.used_data_keys();
  return options;
}

PassResult Engine::run_pass(Pass& pass) {
  NetworkRunner& runner = pass.train ? *train_runner_ : *eval_runner_;
  HdfDumpCallback& dumps = pass.train ? *train_dumps_ : *eval_dumps_;
  const BatchOptions options = batch_options(pass);
  const PassPlan plan = plan_pass(pass, options);
  PassResult result;
  result.train = pass.train;
  result.losses.resize(runner.network().losses().size());
  result.meta.resize(runner.empty_report().meta.size());
  begin_pass(pass, result, plan);
  BatchLoader loader(*pass.dataset, plan.batches, options, plan.rank, plan.ranks, plan.first_batch);
  BatchFeed feed(loader, runner);
  StepLog step_log(config_, runner.network(), pass.prefix, plan.steps);
  const double start = monotonic_seconds();
  runner.forget_states();
  dumps.begin_run(pass.name, pass.epoch);
  observers_.run_started({pass.name, pass.train, pass.epoch, plan.steps, global_step_});
  while (result.steps < plan.steps && !result.stopped) {
    if (pass.train) {
      progress().step = global_step_;
    }
    const std::optional<Batch> batch = feed.next();
    const double step_start = monotonic_seconds();
    StepReport report =
        pass.train ? compute_gradients(batch, pass.learning_rate, feed) : evaluate_step(runner, batch, feed);
    if (!communicator_.is_root() && !distributed_.horovod) {
      count_once(report, runner.network());
    }
    if (!pass.train) {
      assign_parameters(runner, batch.has_value());
    }
    write_rows(batch, runner, dumps);
    StepFlags flags = own_flags(pass, report);
    if (pass.train || !distributed_.ranks_report_alone()) {
      sum_over_ranks(report, flags);
    }
    if (pass.train) {
      finish_step(pass, report, flags, batch, result);
    } else {
      add_losses(report, result);
    }
    const double step_seconds = monotonic_seconds() - step_start;
    observers_.step_finished(result.steps, global_step_ - (pass.train ? 1 : 0), step_seconds, runner, report,
                             batch ? &*batch : nullptr);
    step_log.step(result.steps, report, batch ? &*batch : nullptr, step_seconds, &observers_.stats());
    ++result.steps;
    ++runs_;
    result.batches = std::min(result.batches + plan.ranks, static_cast<int64_t>(plan.batches.batches.size()));
    result.stopped = flags.stop > 0 && (pass.train || !distributed_.ranks_report_alone());
    if (pass.train) {
      step_done(pass, report, flags, plan.steps, result);
    }
  }
  dumps.end_run();
  result.seconds = monotonic_seconds() - start;
  observers_.run_finished(runner, sums_of(result), result.steps, result.seconds, result.stopped);
  step_log.finish(result.steps, result.seconds);
  return result;
}

PassResult Engine::train_epoch(int epoch, double learning_rate) {
  Pass pass{"train",
            fmt::format("{}train epoch {}", networks_.is_pretrain(epoch) ? "pre" : "", epoch),
            datasets_.at("train").get(),
            true,
            epoch,
            learning_rate};
  pass.dataset->init_epoch(epoch);
  return run_pass(pass);
}

std::vector<std::pair<std::string, Value>> Engine::evaluation_sets() const {
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
  return sets;
}

std::map<std::string, PassResult> Engine::evaluate_all(int epoch) {
  std::map<std::string, PassResult> results;
  for (const auto& [name, options] : evaluation_sets()) {
    Pass pass{name, fmt::format("{} '{}' eval", epoch_text(epoch), name), &dataset(name, options), false, epoch, 0};
    pass.dataset->init_epoch(epoch);
    results[name] = run_pass(pass);
    if (results[name].stopped) {
      break;
    }
  }
  return results;
}

/// How many steps evaluate_all takes.
int64_t Engine::evaluation_steps(int epoch) {
  int64_t steps = 0;
  for (const auto& [name, options] : evaluation_sets()) {
    const Pass pass{name, "", &dataset(name, options), false, epoch, 0};
    pass.dataset->init_epoch(epoch);
    steps += plan_pass(pass, batch_options(pass)).steps;
  }
  return steps;
}

/// As RETURNN: output_file names the labels of the default target where there are as many as the layer has features.
void Engine::label_output_file(const Dataset& data) {
  const NetworkLayer* layer = evaluation_.network->default_output_layer();
  const std::map<std::string, KeyInfo> keys = data.keys();
  const auto target = keys.find(extern_data_.default_target);
  if (layer == nullptr || target == keys.end()) {
    return;
  }
  const Dim dim = layer->output.data.feature_or_sparse_dim();
  const std::vector<std::string>& labels = target->second.labels;
  if (dim.defined() && dim.is_static() && dim.size() == static_cast<int64_t>(labels.size())) {
    eval_dumps_->set_labels("output_file", labels);
  }
}

void Engine::forward() {
  choose_network();
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
  label_output_file(*pass.dataset);
  if (communicator_.is_root() && config_.get_bool("forward_override_hdf_output", false)) {
    std::filesystem::remove(config_.get_string("output_file", ""));
  }
  const PassResult result = run_pass(pass);
  eval_dumps_->close();
  log_line(1, fmt::format("forwarded in {} steps, elapsed {}", result.steps, format_hms(result.seconds)));
}

}  // namespace wende

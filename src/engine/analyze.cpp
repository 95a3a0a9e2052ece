/// The task analyze: statistics of the output layer over a data set.
#include <fmt/core.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/pass.h"
#include "engine/step_log.h"

namespace wende {
namespace {

/// The config with a framewise_statistics layer "analyze" on the first output layer, unless it has one of that name.
Config with_statistics(Config config, const ExternData& extern_data) {
  const Value& network = *config.find("network");
  if (network.find("analyze") != nullptr) {
    return config;
  }
  const Value* silence = config.find("sil_label_idx");
  if (silence == nullptr || silence->is_none()) {
    throw Error(ExitStatus::kConfig, "task 'analyze' needs 'sil_label_idx': the label of silence")
        .hint("or a framewise_statistics layer named 'analyze' in the network");
  }
  NetworkOptions options;
  options.behavior_version = static_cast<int>(config.get_int("behavior_version", 0));
  const std::unique_ptr<Network> built = Network::build(config, extern_data, options);
  std::string output;
  for (const NetworkLayer& layer : built->layers()) {
    const Value* flag = layer.options.find("is_output_layer");
    const Value* loss = layer.options.find("loss");
    const bool is_output = layer.name == "output" || (loss != nullptr && !loss->is_none()) ||
                           (flag != nullptr && !flag->is_none() && flag->as_bool());
    if (layer.is_root() && is_output && (output.empty() || layer.name < output)) {
      output = layer.name;
    }
  }
  const Value statistics = Value::dict({{Value::of("class"), Value::of("framewise_statistics")},
                                        {Value::of("sil_label_idx"), *silence},
                                        {Value::of("from"), Value::of(output)},
                                        {Value::of("is_output_layer"), Value::of(true)}});
  config.set("network", network.with("analyze", statistics.placed(network.span(), "network['analyze']")));
  return config;
}

}  // namespace

void Engine::analyze() {
  choose_network();
  config_ = with_statistics(config_, extern_data_);
  build_eval_network(true);
  observers_.graph_made();
  const Value* options = config_.find("eval");
  const char* role = "eval";
  if (options == nullptr || options->is_none()) {
    options = config_.find("dev");
    role = "dev";
  }
  if (options == nullptr || options->is_none()) {
    throw Error(ExitStatus::kConfig, "task 'analyze' needs 'eval' or 'dev': a dataset");
  }
  const int epoch = restore();
  log_line(1, fmt::format("Analyze with network on '{}'.", role));
  Pass pass{role, fmt::format("epoch {} analyze", epoch), &dataset(role, *options), false, epoch, 0};
  pass.dataset->init_epoch(epoch);
  const PassResult result = run_pass(pass);
  eval_dumps_->close();
  observers_.graph_reset();
  log_line(1, fmt::format("Finished analyzing of the dataset '{}'.", role));
  log_line(1, "elapsed: " + format_hms(result.seconds));
  log_line(1, fmt::format("num mini-batches: {}", result.steps));
  log_line(1, "score: " + score_text(result));
  log_line(1, "error: " + error_text(result));
  for (const auto& [name, value] : observers_.stats().latest()) {
    log_line(1, fmt::format("stats:{}: {}", name, value.text()));
  }
  log_line(1, "That are all collected stats.");
}

}  // namespace wende

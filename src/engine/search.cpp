/// The task search: the best labels of a dataset's sequences.
#include <fmt/core.h>

#include "base/log.h"
#include "engine/pass.h"

namespace wende {
namespace {

/// The data set that is searched: search_data, or the one that it names; "eval" if it is not given.
const Value* search_data(const Config& config) {
  const Value* options = config.find("search_data");
  if (options == nullptr || options->is_none()) {
    return config.find("eval");
  }
  if (options->is_string() &&
      (options->as_string() == "train" || options->as_string() == "dev" || options->as_string() == "eval")) {
    return config.find(options->as_string());
  }
  return options;
}

}  // namespace

const NetworkLayer& Engine::search_layer() const {
  std::string name = "output";
  if (const Value* option = config_.find("search_output_layer"); option != nullptr && !option->is_none()) {
    if (!option->is_string()) {
      throw option->error("several layers in search_output_layer are not supported by Wende " WENDE_VERSION);
    }
    name = option->as_string();
  }
  const NetworkLayer* layer = evaluation_.network->find_layer(name);
  if (layer == nullptr || !layer->output.expr.defined()) {
    throw Error(ExitStatus::kConfig, "search_output_layer '" + name + "' is no layer of the network in search");
  }
  return *layer;
}

void Engine::write_rows(const std::optional<Batch>& batch, NetworkRunner& runner, HdfDumpCallback& dumps) {
  const Batch rows = dumps.empty() && !search_output_ ? Batch() : batch.value_or(Batch());
  if (!dumps.empty()) {
    dumps.add_batch(rows, runner.extra_values(), runner.binding());
  }
  if (search_output_) {
    const std::vector<Tensor>& values = runner.extra_values();
    const auto count = static_cast<std::ptrdiff_t>(search_layer().beam_scores.defined() ? 2 : 1);
    const bool has_values = static_cast<std::ptrdiff_t>(values.size()) >= count;
    search_output_->add_batch(
        rows, has_values ? std::vector<Tensor>(values.end() - count, values.end()) : std::vector<Tensor>(),
        runner.binding());
  }
}

void Engine::search() {
  choose_network();
  build_eval_network(config_.get_bool("search_do_eval", true), true);
  observers_.graph_made();
  const Value* options = search_data(config_);
  if (options == nullptr || options->is_none()) {
    throw Error(ExitStatus::kConfig, "task 'search' needs 'search_data' or 'eval': a dataset");
  }
  const NetworkLayer& layer = search_layer();
  // In the order of the corpus, as the result is.
  Dataset& data =
      dataset("search", options->is_dict() ? options->with("seq_ordering", Value::of("default")) : *options);
  const Value* target = layer.options.find("target");
  const Value first = target && target->is_sequence() && !target->items().empty() ? target->items().front()
                      : target && target->is_string()                             ? *target
                                                      : Value::of(extern_data_.default_target);
  const std::map<std::string, KeyInfo> keys = data.keys();
  const auto key = keys.find(first.as_string());
  search_output_ = std::make_unique<SearchOutput>(
      config_, layer, key == keys.end() ? std::vector<std::string>() : key->second.labels, communicator_);
  const int epoch = restore();
  Pass pass{"search", fmt::format("epoch {} search", epoch), &data, false, epoch, 0};
  pass.dataset->init_epoch(epoch);
  const PassResult result = run_pass(pass);
  eval_dumps_->close();
  observers_.graph_reset();
  if (!result.stopped) {
    search_output_->write();
  }
  log_line(1, fmt::format("Search done. Num steps {}, Final: score {} error {}", result.steps, score_text(result),
                          error_text(result)));
}

}  // namespace wende

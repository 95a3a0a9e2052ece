#include "engine/config_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "config/option_range.h"
#include "dataset/batch.h"
#include "dataset/dataset.h"
#include "engine/file_name_check.h"
#include "engine/known_options.h"
#include "engine/model_files.h"
#include "optim/learning_rate_control.h"
#include "optim/updater.h"

namespace wende {

namespace {

constexpr const char* kCommandLine = "command line";
const std::vector<std::string> kTasks = {"train", "eval", "forward", "hpx", "analyze", "search"};
/// Tasks that RETURNN has and that are not here yet: named as such, never "unknown".
const std::vector<std::string> kTasksOfReturnn = {"compute_priors", "cleanup_old_models", "initialize_model", "nop",
                                                  "hyper_param_tuning"};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const Value* given(const Config& config, const char* key) {
  const Value* value = config.find(key);
  return value != nullptr && !value->is_none() ? value : nullptr;
}

void check_task(const Config& config) {
  const std::string task = config.get_string("task", "train");
  if (contains(kTasksOfReturnn, task)) {
    throw config.find("task")->error(
        fmt::format("task '{}' is not supported by Wende {}; supported: train, eval, forward, analyze, search", task,
                    WENDE_VERSION));
  }
  if (!contains(kTasks, task)) {
    throw config.find("task")
        ->error(fmt::format("unknown task '{}'; known tasks: train, eval, forward, analyze, search", task))
        .hint(did_you_mean(task, kTasks));
  }
}

void check_needed(const Config& config) {
  const std::string task = config.get_string("task", "train");
  const auto place = SourceSpan{std::make_shared<const std::string>(config.file_name()), 0, 0};
  ErrorCollector errors;
  if (task == "train" && given(config, "train") == nullptr) {
    errors.add(Error(ExitStatus::kConfig, "task 'train' needs 'train': a dataset").at(place));
  }
  const Value* network = given(config, "network");
  if (network == nullptr && given(config, "get_network") == nullptr) {
    errors.add(Error(ExitStatus::kConfig, fmt::format("task '{}' needs 'network': a dict of layers", task)).at(place));
  }
  if (network != nullptr && !network->is_dict()) {
    errors.add(network->error(fmt::format("network must be a dict, got {}",
                                          network->is_string() ? "str " + network->repr() : network->type_name())));
  }
  errors.throw_if_any();
}

void check_rate(const Value& rate, const std::string& what) {
  if (const double number = rate.as_float(); !(std::isfinite(number) && number >= 0)) {
    throw rate.error(fmt::format("{} must be finite and >= 0, got {}", what, rate.repr()));
  }
}

void check_learning_rates(const Value& rates) {
  if (rates.is_dict()) {
    for (const auto& [epoch, rate] : rates.entries()) {
      epoch.as_int();
      check_rate(rate, "learning_rates: a rate");
    }
    return;
  }
  if (rates.is_number()) {
    return check_rate(rates, "learning_rates: a rate");
  }
  if (rates.items().empty()) {
    throw rates.error("learning_rates is empty: 0 entries, at least 1 wanted").hint("remove it to use learning_rate");
  }
  for (const Value& rate : rates.items()) {
    check_rate(rate, "learning_rates: a rate");
  }
}

void check_batch_number(const Value& size) {
  if (size.is_dict()) {
    for (const auto& [key, number] : size.entries()) {
      check_batch_number(number);
    }
    return;
  }
  if (!size.is_number()) {
    size.as_int();
  }
  if (const double number = size.as_float(); !(std::isfinite(number) && number > 0)) {
    throw size.error(
        fmt::format("batch_size must be > 0{}, got {}", std::isfinite(number) ? "" : " and finite", size.repr()));
  }
}

void check_schedule(const Config& config, ErrorCollector& errors) {
  if (const Value* start = given(config, "start_epoch");
      start && !(start->is_string() && start->as_string() == "auto")) {
    errors.run([&] { start->as_int(); });
  }
  for (const char* key : {"newbob_learning_rate_decay", "learning_rate_decay"}) {
    if (const Value* decay = given(config, key)) {
      errors.run([&] { check_range("newbob_learning_rate_decay", *decay); });
    }
  }
}

void check_numbers(const Config& config, ErrorCollector& errors) {
  if (const Value* size = given(config, "batch_size"); size != nullptr && !size->is_callable()) {
    errors.run([&] { check_batch_number(*size); });
  } else {
    errors.run([&] { BatchOptions::from_config(config, "train", true); });
  }
  if (const Value* rate = given(config, "learning_rate")) {
    errors.run([&] { check_rate(*rate, "learning_rate"); });
  }
  if (const Value* rates = given(config, "learning_rates")) {
    errors.run([&] { check_learning_rates(*rates); });
  }
  if (const Value* epochs = given(config, "num_epochs")) {
    errors.run([&] {
      if (epochs->as_int() < 0) {
        throw epochs->error(fmt::format("num_epochs must be >= 0, got {}", epochs->repr()));
      }
    });
  }
  for (const char* key :
       {"checkpoint_interval_steps", "rank_check_interval", "metrics_every_steps", "tensorboard_every"}) {
    errors.run([&] { config.get_int(key, 0); });
  }
  for (const char* key : {"checkpoint_interval_seconds", "watchdog_timeout"}) {
    errors.run([&] { config.get_float(key, 0); });
  }
  if (const Value* rules = given(config, "cleanup_old_models")) {
    errors.run([&] { ModelFiles::check_rules(*rules); });
  }
  for (const char* key : {"save_interval", "log_verbosity", "random_seed"}) {
    errors.run([&] { config.get_int(key, 0); });
  }
  check_schedule(config, errors);
  for (const char* key : {"model", "learning_rate_file", "output_file"}) {
    errors.run([&] { config.get_string(key, ""); });
  }
}

void check_datasets(const Config& config, ErrorCollector& errors) {
  for (const char* role : {"train", "dev", "eval"}) {
    if (const Value* options = given(config, role)) {
      errors.run([&] { check_dataset_options(*options, config); });
    }
  }
  if (const Value* more = given(config, "eval_datasets"); more != nullptr && more->is_dict()) {
    for (const auto& [name, options] : more->entries()) {
      errors.run([&, &options = options] { check_dataset_options(options, config); });
    }
  }
}

void check_debug_print(const Config& config, ErrorCollector& errors) {
  const Value* print = given(config, "debug_print_layer_output");
  const Value* network = given(config, "network");
  if (print == nullptr || network == nullptr || !print->is_dict() || !network->is_dict()) {
    return;
  }
  for (const auto& [key, flag] : print->entries()) {
    const std::string name = key.is_string() ? key.as_string() : key.repr();
    if (network->find(name.substr(0, name.find('/'))) == nullptr) {
      errors.add(flag.error(fmt::format("unknown layer name '{}'", name)).hint(did_you_mean(name, network->keys())));
    }
  }
}

/// Options with which RETURNN's results are others and that are not here: refused unless they say what is so anyway.
void check_without_support(const Config& config, ErrorCollector& errors) {
  static const std::map<std::string, double> kNeutral = {{"chunking_variance", 0},
                                                         {"context_window", 1},
                                                         {"enforce_min_len1", 0},
                                                         {"eval_output_file", 0},
                                                         {"eval_use_train_flag", 0},
                                                         {"forward_use_search", 0},
                                                         {"get_model", 0},
                                                         {"inc_seq_length", 0},
                                                         {"init_new_network_callback", 0},
                                                         {"reinit_network_each_epoch", 0},
                                                         {"reset_updater_vars_mod_step", 0},
                                                         {"seq_drop", 0},
                                                         {"shuffle_batches", 0},
                                                         {"shuffle_frames_of_nseqs", 0},
                                                         {"start_batch", 0},
                                                         {"train_in_eval", 0},
                                                         {"use_last_best_model", 0},
                                                         {"window", 1}};
  for (const auto& [name, neutral] : kNeutral) {
    const Value* value = given(config, name.c_str());
    const bool off = value == nullptr || (value->kind() == Value::Kind::kBool && !value->as_bool()) ||
                     (value->is_string() && value->as_string() == "auto") ||
                     (value->is_number() && (value->as_float() == neutral || value->as_float() == 0));
    if (!off) {
      errors.add(value->error(fmt::format("option '{}' = {} is not supported", name, value->repr())));
    }
  }
}

/// How often `name` stands in the code as a word: a misspelt option is written once, a variable is used.
int uses(const std::string& source, const std::string& name) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  int count = 0;
  for (size_t at = source.find(name); at != std::string::npos; at = source.find(name, at + 1)) {
    const size_t end = at + name.size();
    const size_t line = source.rfind('\n', at) + 1;
    if (source.substr(line, at - line).find('#') != std::string::npos) {
      continue;
    }
    count += (at == 0 || !is_word(source[at - 1])) && (end == source.size() || !is_word(source[end])) ? 1 : 0;
  }
  return count;
}

/// Of what the command line sets, all counts that neither Wende nor the config's code knows.
void add_unknown_overrides(const Config& config, std::vector<Diagnostic>& warnings) {
  for (const auto& [key, value] : config.globals().entries()) {
    const std::string& name = key.as_string();
    const bool overriding = value.span().file != nullptr && *value.span().file == kCommandLine;
    if (!overriding || contains(known_options(), name) || uses(config.source(), name) > 0) {
      continue;
    }
    warnings.push_back({.span = value.span(),
                        .path = name,
                        .message = fmt::format("unknown option '{}'", name),
                        .hint = did_you_mean(name, known_options())});
  }
}

/// Numbers per data key, as batch_size and chunking take them, for keys that extern_data does not have.
void add_unknown_keys(const Value& numbers, const std::vector<std::string>& keys, std::vector<Diagnostic>& warnings) {
  if (numbers.is_sequence()) {
    for (const Value& item : numbers.items()) {
      add_unknown_keys(item, keys, warnings);
    }
  }
  if (!numbers.is_dict()) {
    return;
  }
  for (const auto& [key, number] : numbers.entries()) {
    const bool known = key.is_string() && contains(keys, key.as_string());
    const std::string hint = known || !key.is_string() ? "" : did_you_mean(key.as_string(), keys);
    if (!hint.empty()) {
      warnings.push_back({.span = number.span(),
                          .path = number.path(),
                          .message = fmt::format("unknown data key {}", key.repr()),
                          .hint = hint});
    }
  }
}

void add_misspelt(const Config& config, std::vector<Diagnostic>& warnings) {
  for (const auto& [key, value] : config.globals().entries()) {
    if (!key.is_string() || value.is_callable()) {
      continue;
    }
    const std::string& name = key.as_string();
    const bool overriding = value.span().file != nullptr && *value.span().file == kCommandLine;
    if (overriding || name.size() < 4 || name[0] == '_' || contains(known_options(), name)) {
      continue;
    }
    const std::string hint = did_you_mean(name, known_options());
    const size_t quote = hint.find('\'');
    if (quote == std::string::npos) {
      continue;
    }
    const std::string meant = hint.substr(quote + 1, hint.find('\'', quote + 1) - quote - 1);
    if (config.has(meant) || uses(config.source(), name) > 1) {
      continue;
    }
    Diagnostic warning;
    warning.span = value.span();
    warning.path = name;
    warning.message = fmt::format("unknown option '{}'", name);
    warning.hint = hint;
    warnings.push_back(std::move(warning));
  }
}

void add_numbered_axes(const Value& layers, std::vector<Diagnostic>& warnings) {
  if (!layers.is_dict()) {
    return;
  }
  for (const auto& [name, layer] : layers.entries()) {
    if (!layer.is_dict()) {
      continue;
    }
    for (const char* key : {"axis", "axes"}) {
      const Value* axis = layer.find(key);
      if (axis != nullptr && axis->kind() == Value::Kind::kInt) {
        Diagnostic warning;
        warning.span = axis->span();
        warning.path = axis->path();
        warning.message = fmt::format("axis {} as a number depends on the order of axes", axis->repr());
        warning.hint = "write its name: 'B', 'T', 'F', 'S:0', ...";
        warnings.push_back(std::move(warning));
      }
    }
    for (const char* key : {"subnetwork", "unit"}) {
      if (const Value* inner = layer.find(key)) {
        add_numbered_axes(*inner, warnings);
      }
    }
  }
}

}  // namespace

void check_config(const Config& config) {
  ErrorCollector errors;
  errors.run([&] {
    check_task(config);
    check_needed(config);
  });
  check_numbers(config, errors);
  check_without_support(config, errors);
  check_datasets(config, errors);
  check_debug_print(config, errors);
  check_file_names(config, errors);
  // Both read all of their options when they are made.
  errors.run([&] { const LearningRateControl control(config); });
  errors.run([&] {
    ParamStore nothing({}, {});
    const Updater updater(config, nothing, {});
  });
  errors.throw_if_any();
}

std::vector<Diagnostic> config_warnings(const Config& config) {
  std::vector<Diagnostic> warnings = config.warnings();
  add_misspelt(config, warnings);
  add_unknown_overrides(config, warnings);
  const Value* extern_data = given(config, "extern_data");
  for (const char* option : {"batch_size", "chunking", "max_seq_length", "min_seq_length"}) {
    if (const Value* numbers = given(config, option)) {
      const bool listed = extern_data != nullptr && extern_data->is_dict();
      add_unknown_keys(*numbers, listed ? extern_data->keys() : std::vector<std::string>{"data", "classes"}, warnings);
    }
  }
  if (const Value* network = given(config, "network")) {
    add_numbered_axes(*network, warnings);
  }
  return warnings;
}

Diagnostic unreached_layer(const Config& config, const std::string& name) {
  Diagnostic warning;
  const Value* network = given(config, "network");
  if (const Value* layer = network != nullptr && network->is_dict() ? network->find(name) : nullptr) {
    warning.span = layer->span();
  }
  warning.message = fmt::format("layer '{}' is never reached from an output, a loss or is_output_layer", name);
  return warning;
}

void require_loss(const Config& config, const Network& network) {
  if (config.get_string("task", "train") == "train" && network.losses().empty()) {
    Error error(ExitStatus::kConfig, "nothing to train: no layer has a loss");
    if (const Value* dict = config.find("network")) {
      error.at(dict->span(), "network");
    }
    throw error;
  }
}

}  // namespace wende

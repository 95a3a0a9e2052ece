#include "optim/learning_rate_control.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>

#include "base/error.h"
#include "config/args.h"
#include "io/atomic_file.h"

namespace wende {
namespace {

enum class Rule { kConstant, kRelative, kAbsolute, kMultiEpoch };

Rule rule_of(const Config& config) {
  const std::string name = config.get_string("learning_rate_control", "constant");
  static const std::vector<std::pair<std::string, Rule>> kRules = {
      {"constant", Rule::kConstant},        {"newbob", Rule::kRelative},     {"newbob_rel", Rule::kRelative},
      {"newbob_relative", Rule::kRelative}, {"newbob_abs", Rule::kAbsolute}, {"newbob_multi_epoch", Rule::kMultiEpoch}};
  std::vector<std::string> names;
  for (const auto& [known, rule] : kRules) {
    if (known == name) return rule;
    names.push_back(known);
  }
  std::string hint = did_you_mean(name, names);
  throw config.find("learning_rate_control")
      ->error(fmt::format("unknown learning_rate_control '{}'", name))
      .hint((hint.empty() ? "" : hint + "; ") +
            "known: constant, newbob (= newbob_rel), newbob_abs, newbob_multi_epoch");
}

/// The entry of `epoch` or nullptr.
const EpochData* entry(const std::map<int, EpochData>& epochs, int epoch) {
  auto found = epochs.find(epoch);
  return found == epochs.end() ? nullptr : &found->second;
}

/// The last epochs before `epoch`, at most `most`, ascending.
std::vector<int> epochs_before(const std::map<int, EpochData>& epochs, int epoch, size_t most) {
  std::vector<int> result;
  for (auto it = epochs.lower_bound(epoch); it != epochs.begin() && result.size() < most;)
    result.push_back((--it)->first);
  std::reverse(result.begin(), result.end());
  return result;
}

/// Which error decides; "" if the epoch has none. ":meta:" entries are no errors.
std::string score_key(const Config& config, const EpochData& data) {
  std::map<std::string, double> errors;
  for (const auto& [key, value] : data.error) {
    if (!key.starts_with(":meta:")) errors[key] = value;
  }
  if (errors.empty()) return "";
  std::vector<std::string> wanted;
  if (const Value* measure = config.find("learning_rate_control_error_measure"); measure && !measure->is_none()) {
    read_value(*measure, wanted);
  }
  wanted.push_back("dev_score");
  for (const std::string& key : wanted) {
    for (const std::string& candidate : {key, key + "_output"}) {
      if (errors.count(candidate)) return candidate;
    }
  }
  auto first_with = [&](const std::string& prefix) -> std::string {
    auto found = errors.lower_bound(prefix);
    return found != errors.end() && found->first.starts_with(prefix) ? found->first : "";
  };
  if (errors.count("dev_score_output/output")) return "dev_score_output/output";
  for (const char* prefix : {"dev_score_output/output_", "dev_score_output/", "dev_"}) {
    if (std::string key = first_with(prefix); !key.empty()) return key;
  }
  for (const char* key : {"train_score", "train_score_output"}) {
    if (errors.count(key)) return key;
  }
  return errors.begin()->first;
}

/// new and old score by the same key; nullopt if one is missing or the keys differ.
std::optional<std::pair<double, double>> old_and_new(const Config& config, const std::map<int, EpochData>& epochs,
                                                     int old_epoch, int new_epoch) {
  const EpochData* before = entry(epochs, old_epoch);
  const EpochData* after = entry(epochs, new_epoch);
  if (before == nullptr || after == nullptr) return std::nullopt;
  const std::string key = score_key(config, *before);
  if (key.empty() || key != score_key(config, *after)) return std::nullopt;
  return std::pair{before->error.at(key), after->error.at(key)};
}

std::optional<double> relative_error(const Config& config, const std::map<int, EpochData>& epochs, int old_epoch,
                                     int new_epoch) {
  auto scores = old_and_new(config, epochs, old_epoch, new_epoch);
  if (!scores) return std::nullopt;
  auto [before, after] = *scores;
  const double base = config.get_bool("newbob_relative_error_div_by_old", false) ? before : after;
  double error = (after - before) / std::fabs(base);
  if (config.get_bool("learning_rate_control_relative_error_relative_lr", false)) {
    const double rate = epochs.at(new_epoch).learning_rate;
    if (rate > 0) error /= rate / config.get_float("learning_rate", 1.0);
  }
  return error;
}

/// rate times a factor, or through a function of the config. `name` wins over the older `newbob_` + name.
double changed(const Config& config, const std::string& name, double fallback, double rate) {
  const Value* value = config.find(name);
  if (value == nullptr || value->is_none()) value = config.find("newbob_" + name);
  if (value == nullptr) return rate * fallback;
  if (value->is_none()) return rate;
  if (!value->is_callable()) return rate * value->as_float();
  Value result = value->as_callable().call({Value::of(rate)}, {});
  if (!result.is_number()) throw value->error(fmt::format("{} returned {}, not a number", name, result.repr()));
  return result.as_float();
}

double decayed(const Config& config, double rate) {
  return std::max(changed(config, "learning_rate_decay", 0.5, rate), config.get_float("min_learning_rate", 0));
}

double grown(const Config& config, double rate) { return changed(config, "learning_rate_growth", 1.0, rate); }

double multi_epoch_rate(const Config& config, const std::map<int, EpochData>& epochs, int epoch, double rate) {
  const int64_t count = config.get_int("newbob_multi_num_epochs", 5);
  const int64_t interval = config.get_int("newbob_multi_update_interval", count);
  if (interval > 1 && epoch % interval != 1) return rate;
  // One more than the count: between n + 1 epochs lie n differences.
  std::vector<int> last = epochs_before(epochs, epoch, static_cast<size_t>(std::max<int64_t>(count, 1)) + 1);
  if (last.size() < 2) return rate;
  double sum = 0;
  for (size_t i = 0; i + 1 < last.size(); ++i) {
    auto error = relative_error(config, epochs, last[i], last[i + 1]);
    if (!error) return rate;
    sum += *error;
  }
  const double mean = sum / static_cast<double>(last.size() - 1);
  const double threshold = config.get_float("newbob_relative_error_threshold", -0.01);
  const double grow_threshold = config.get_float("newbob_relative_error_grow_threshold", threshold);
  if (mean > threshold) return decayed(config, rate);
  return mean < grow_threshold ? grown(config, rate) : rate;
}

/// "learning_rates": a list for epochs 1.., or a dict epoch -> rate. (A text is read as RETURNN does: "0.1,0.2".)
std::map<int, double> preset_rates(const Config& config) {
  std::map<int, double> rates;
  const Value* value = config.find("learning_rates");
  if (value == nullptr || value->is_none()) return rates;
  if (value->is_dict()) {
    for (const auto& [epoch, rate] : value->entries()) rates[static_cast<int>(epoch.as_int())] = rate.as_float();
    return rates;
  }
  std::vector<double> list;
  read_value(*value, list);
  for (size_t i = 0; i < list.size(); ++i) rates[static_cast<int>(i) + 1] = list[i];
  return rates;
}

}  // namespace

LearningRateControl::LearningRateControl(const Config& config) : config_(config) {
  rule_of(config_);
  for (const auto& [epoch, rate] : preset_rates(config_)) epochs_[epoch].learning_rate = rate;
}

double LearningRateControl::learning_rate(int epoch) {
  auto found = epochs_.find(epoch);
  if (found != epochs_.end()) return found->second.learning_rate;
  const double rate = decide(epoch);
  epochs_[epoch].learning_rate = rate;
  return rate;
}

void LearningRateControl::set_learning_rate(int epoch, double rate) { epochs_[epoch].learning_rate = rate; }

void LearningRateControl::set_default_learning_rate(int epoch, double rate) {
  EpochData& data = epochs_[epoch];
  if (data.learning_rate == 0) data.learning_rate = rate;
}

void LearningRateControl::set_error(int epoch, const std::map<std::string, double>& errors) {
  learning_rate(epoch);
  for (const auto& [key, value] : errors) epochs_[epoch].error[key] = value;
}

double LearningRateControl::score(int epoch) const {
  const EpochData* data = entry(epochs_, epoch);
  const std::string key = data == nullptr ? "" : score_key(config_, *data);
  return key.empty() ? std::numeric_limits<double>::quiet_NaN() : data->error.at(key);
}

double LearningRateControl::decide(int epoch) const {
  const int64_t fixed = config_.get_int("learning_rate_control_min_num_epochs_per_new_lr", 0);
  std::vector<int> last = epochs_before(epochs_, epoch, static_cast<size_t>(std::max<int64_t>(fixed, 2)));
  if (last.empty()) return config_.get_float("learning_rate", 1.0);
  const double rate = epochs_.at(last.back()).learning_rate;
  if (fixed > 1) {
    bool differ = std::any_of(last.begin(), last.end(), [&](int e) { return epochs_.at(e).learning_rate != rate; });
    if (differ || static_cast<int64_t>(last.size()) < fixed) return rate;
  }
  const Rule rule = rule_of(config_);
  if (rule == Rule::kConstant) return rate;
  if (rule == Rule::kMultiEpoch) return multi_epoch_rate(config_, epochs_, epoch, rate);
  if (last.size() < 2) return rate;
  const int before = last[last.size() - 2];
  if (rule == Rule::kAbsolute) {
    auto scores = old_and_new(config_, epochs_, before, last.back());
    if (!scores) return rate;
    const double threshold = config_.get_float("newbob_error_threshold", -0.01);
    return scores->second - scores->first > threshold ? decayed(config_, rate) : grown(config_, rate);
  }
  auto error = relative_error(config_, epochs_, before, last.back());
  if (!error) return rate;
  const double threshold = config_.get_float("newbob_relative_error_threshold", -0.01);
  return *error > threshold ? decayed(config_, rate) : grown(config_, rate);
}

std::string LearningRateControl::file() const { return config_.get_string("learning_rate_file", ""); }

void LearningRateControl::save() const {
  if (!file().empty()) write_file_atomically(file(), file_text());
}

void LearningRateControl::load() {
  const std::string file = this->file();
  if (file.empty() || !std::filesystem::exists(file)) return;
  // Rates of the file win over learning_rates; later epochs keep what is preset.
  for (auto& [epoch, data] : parse(read_file(file), file)) epochs_[epoch] = std::move(data);
}

}  // namespace wende

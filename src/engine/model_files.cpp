#include "engine/model_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/log.h"
#include "io/checkpoint.h"

namespace wende {

namespace fs = std::filesystem;

namespace {

int64_t next_power_of_two(int64_t x) {
  int64_t power = 1;
  while (power < x) {
    power *= 2;
  }
  return power;
}

void keep_multiples(std::set<int>& keep, int last, int64_t step) {
  for (int64_t epoch = step; epoch <= last; epoch += step) {
    keep.insert(static_cast<int>(epoch));
  }
}

void keep_powers(std::set<int>& keep, int last, int64_t first) {
  for (int64_t epoch = first; epoch <= last; epoch *= 2) {
    keep.insert(static_cast<int>(epoch));
  }
}

/// RETURNN's default pattern by the last epoch.
void keep_default_pattern(std::set<int>& keep, int last) {
  if (last <= 10) {
    keep_multiples(keep, last, 4);
    keep_powers(keep, last, 5);
  } else if (last <= 50) {
    keep_multiples(keep, last, 20);
    keep_powers(keep, last, 5);
  } else if (last <= 100) {
    keep_multiples(keep, last, 40);
    keep_powers(keep, last, 10);
  } else {
    keep_multiples(keep, last, 80 * next_power_of_two(1 + last / 240));
    keep_powers(keep, last, 20);
  }
}

/// The best `count` saved epochs for each score key. An epoch without a score counts as the worst; a key whose values
/// are all the same says nothing.
void keep_best_epochs(std::set<int>& keep, int64_t count, const std::vector<int>& saved,
                      const std::map<int, EpochData>& scores) {
  std::map<std::string, std::map<int, double>> by_key;
  for (const int epoch : saved) {
    if (const auto it = scores.find(epoch); it != scores.end()) {
      for (const auto& [key, value] : it->second.error) {
        if (key.rfind(':', 0) != 0) {
          by_key[key][epoch] = value;
        }
      }
    }
  }
  for (const auto& [key, values] : by_key) {
    const auto by_value = [](const auto& a, const auto& b) { return a.second < b.second; };
    const auto [best, worst] = std::minmax_element(values.begin(), values.end(), by_value);
    if (best->second == worst->second) {
      continue;
    }
    std::vector<std::pair<double, int>> ranked;
    for (const int epoch : saved) {
      const auto it = values.find(epoch);
      ranked.emplace_back(it == values.end() ? worst->second : it->second, epoch);
    }
    std::sort(ranked.begin(), ranked.end());
    for (size_t i = 0; i < ranked.size() && static_cast<int64_t>(i) < count; ++i) {
      keep.insert(ranked[i].second);
    }
  }
}

}  // namespace

ModelFiles::ModelFiles(const Config& config) : base_(config.get_string("model", "")) {
  if (const Value* rules = config.find("cleanup_old_models")) {
    cleanup_ = *rules;
  }
}

std::string ModelFiles::epoch_path(int epoch) const {
  return fmt::format("{}{}.{:03}.wende", base_, epoch <= pretrain_epochs_ && pretrain_epochs_ > 0 ? ".pretrain" : "",
                     epoch);
}

std::string ModelFiles::saved_path(int epoch) const {
  for (const char* ending : {".wende", ".index"}) {
    for (const char* infix : {"", ".pretrain"}) {
      const std::string path = fmt::format("{}{}.{:03}{}", base_, infix, epoch, ending);
      if (fs::exists(path)) {
        return path;
      }
    }
  }
  return epoch_path(epoch);
}

std::string ModelFiles::non_finite_case_path(int64_t step, int rank) const {
  return fmt::format("{}.nonfinite.step{:06}.rank{:03}.h5", base_, step, rank);
}

void ModelFiles::recover() const {
  const fs::path base(base_);
  const fs::path folder = base.has_parent_path() ? base.parent_path() : fs::path(".");
  const std::string prefix = base.filename().string() + ".";
  std::vector<fs::path> left;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(prefix, 0) != 0) {
      continue;
    }
    if (name.find(".wende.") != std::string::npos) {
      left.push_back(entry.path());
    } else if (name.find(".tmp.") != std::string::npos) {  // of the run's state, or of its learning-rate file
      log_line(3, fmt::format("Removed {}, which a killed run left", entry.path().string()));
      fs::remove(entry.path(), error);
    }
  }
  for (const fs::path& path : left) {
    const std::string text = path.string();
    const size_t mark = text.rfind(".wende.") + 6;
    const std::string kind = text.substr(mark, 5);
    if (kind == ".old." && !fs::exists(text.substr(0, mark))) {
      log_line(3, fmt::format("Restored {} from {}", text.substr(0, mark), text));
      fs::rename(path, text.substr(0, mark), error);
    } else if (kind == ".old." || kind == ".tmp.") {
      log_line(3, fmt::format("Removed {}, which a killed run left", text));
      fs::remove_all(path, error);
    }
  }
}

std::vector<int> ModelFiles::saved_epochs() const {
  std::vector<int> epochs;
  const fs::path base(base_);
  const fs::path folder = base.has_parent_path() ? base.parent_path() : fs::path(".");
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const std::string prefix = base.filename().string() + ".";
    if (name.rfind(prefix, 0) != 0 || !entry.path().has_extension() || entry.path().extension() != ".wende") {
      continue;
    }
    const std::string rest = name.substr(prefix.size(), name.size() - prefix.size() - 6);
    const std::string number = rest.starts_with("pretrain.") ? rest.substr(9) : rest;
    const bool digits = !number.empty() && number.size() < 9 &&
                        std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits && std::stoi(number) > 0 && checkpoint_counters(entry.path().string())) {
      epochs.push_back(std::stoi(number));
    }
  }
  std::sort(epochs.begin(), epochs.end());
  return epochs;
}

std::set<int> ModelFiles::epochs_to_keep(const Value& rules, const std::vector<int>& saved,
                                         const std::map<int, EpochData>& scores) {
  int64_t keep_last = 2;
  int64_t keep_best = 4;
  std::set<int> keep;
  const int last = saved.empty() ? 0 : saved.back();
  // As RETURNN: only a dict holds rules. Configs have ({...},), with a comma too many: then the defaults hold.
  const Value* listed = rules.is_dict() ? rules.find("keep") : nullptr;
  if (rules.is_dict()) {
    keep_last = rules.find("keep_last_n") != nullptr ? rules.find("keep_last_n")->as_int() : keep_last;
    keep_best = rules.find("keep_best_n") != nullptr ? rules.find("keep_best_n")->as_int() : keep_best;
  }
  if (std::max(keep_last, keep_best) >= static_cast<int64_t>(saved.size())) {
    return {saved.begin(), saved.end()};
  }
  if (listed != nullptr && !listed->is_none()) {
    for (const Value& epoch : listed->items()) {
      keep.insert(static_cast<int>(epoch.as_int()));
    }
  } else {
    keep_default_pattern(keep, last);
  }
  for (size_t i = 0; i < saved.size(); ++i) {
    if (static_cast<int64_t>(saved.size() - i) <= keep_last) {
      keep.insert(saved[i]);
    }
  }
  keep_best_epochs(keep, keep_best, saved, scores);
  return keep;
}

void ModelFiles::check_rules(const Value& rules) {
  if (!rules.is_dict()) {
    return;
  }
  static const std::vector<std::string> kKnown = {"keep_last_n", "keep_best_n", "keep"};
  for (const auto& [key, value] : rules.entries()) {
    const std::string& name = key.as_string();
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
      throw value.error(fmt::format("unknown key '{}' of cleanup_old_models", name)).hint(did_you_mean(name, kKnown));
    }
    if (name == "keep") {
      for (const Value& epoch : value.items()) {
        epoch.as_int();
      }
    } else if (const int64_t least = name == "keep_last_n" ? 1 : 0; value.as_int() < least) {
      throw value.error(fmt::format("{} must be >= {}, got {}", name, least, value.repr()));
    }
  }
}

void ModelFiles::clean_up(const std::map<int, EpochData>& scores) const {
  const Value& first = cleanup_.is_sequence() && !cleanup_.items().empty() ? cleanup_.items().front() : cleanup_;
  const bool wanted = first.kind() == Value::Kind::kBool ? first.as_bool()
                      : first.is_number()                ? first.as_float() != 0
                                                         : !first.is_none();
  if (!enabled() || !wanted) {
    return;
  }
  const std::vector<int> saved = saved_epochs();
  std::set<int> keep = epochs_to_keep(cleanup_, saved, scores);
  for (size_t i = saved.size() - std::min<size_t>(saved.size(), 2); i < saved.size(); ++i) {
    keep.insert(saved[i]);  // whatever the rules say: one may turn out to be damaged
  }
  for (const int epoch : saved) {
    if (keep.count(epoch) == 0) {
      const std::string path = saved_path(epoch);
      remove_checkpoint(path);
      log_line(3, fmt::format("Removed old model {}", path));
    }
  }
}

}  // namespace wende

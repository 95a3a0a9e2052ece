/// The option preload_from_files: parameters of parts of the network from other models.
#include "engine/preload.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "engine/engine.h"
#include "io/checkpoint.h"
#include "io/tensor_bundle.h"

namespace wende {

namespace {

const std::vector<std::string> kOptions = {"filename",        "init_for_train", "prefix",
                                           "ignore_missing",  "ignore_params",  "ignore_params_prefixes",
                                           "var_name_mapping"};

/// One entry of preload_from_files.
struct Preload {
  std::string filename, prefix;
  bool for_training = false;
  bool ignore_missing = false;
  std::vector<std::string> ignored, ignored_prefixes;
  std::map<std::string, std::string> names;

  explicit Preload(const Value& options) {
    for (const auto& [key, value] : options.entries()) {
      if (std::find(kOptions.begin(), kOptions.end(), key.as_string()) == kOptions.end()) {
        throw value.error(fmt::format("preload_from_files: option '{}' is not supported", key.as_string()))
            .hint(did_you_mean(key.as_string(), kOptions));
      }
    }
    const auto given = [&](const char* key) {
      const Value* value = options.find(key);
      return value != nullptr && !value->is_none() ? value : nullptr;
    };
    if (given("filename") == nullptr) throw options.error("preload_from_files: an entry needs 'filename'");
    filename = given("filename")->as_string();
    if (const Value* value = given("prefix")) prefix = value->as_string();
    if (const Value* value = given("init_for_train")) for_training = value->as_bool();
    if (const Value* value = given("ignore_missing")) ignore_missing = value->as_bool();
    for (const auto& [key, list] :
         {std::pair{"ignore_params", &ignored}, {"ignore_params_prefixes", &ignored_prefixes}}) {
      if (const Value* value = given(key)) {
        for (const Value& item : value->items()) list->push_back(item.as_string());
      }
    }
    if (const Value* value = given("var_name_mapping")) {
      for (const auto& [key, name] : value->entries()) names[key.as_string()] = name.as_string();
    }
  }

  /// The name in the file of the network's parameter; "": it is not to be loaded.
  std::string name_in_file(std::string name) const {
    if (!prefix.empty()) {
      size_t at = name.find(prefix);
      if (at == std::string::npos) return "";
      for (; at != std::string::npos; at = name.find(prefix, at)) name.erase(at, prefix.size());
    }
    const bool skipped =
        std::find(ignored.begin(), ignored.end(), name) != ignored.end() ||
        std::any_of(ignored_prefixes.begin(), ignored_prefixes.end(), [&](auto& p) { return name.starts_with(p); });
    const auto mapped = names.find(name);
    return skipped ? "" : mapped != names.end() ? mapped->second : name;
  }
};

}  // namespace

std::string parameter_file(const std::string& path) {
  for (const std::string& candidate : {path, path + ".wende"}) {
    if (std::filesystem::exists(candidate)) return candidate;
  }
  if (bundle_prefix(path).empty()) {
    const std::string stem = path.ends_with(".wende") ? path.substr(0, path.size() - 6) : path;
    std::error_code ignored;
    throw Error(ExitStatus::kMissingInput,
                fmt::format("no model '{0}': there is neither '{0}.wende' nor '{0}.index'", stem))
        .hint("the current folder is " + std::filesystem::current_path(ignored).string());
  }
  return path;
}

std::set<std::string> Engine::preload(bool first_epoch) {
  std::set<std::string> loaded;
  const Value* entries = config_.find("preload_from_files");
  if (entries == nullptr || entries->is_none()) return loaded;
  std::map<std::string, const Value*> sorted;
  for (const auto& [name, options] : entries->entries()) sorted[name.as_string()] = &options;
  for (const auto& [model, options] : sorted) {
    const Preload wanted(*options);
    // Those for training count before its first epoch, the others in tasks other than training.
    if (wanted.for_training != first_epoch) continue;
    log_line(2, fmt::format("loading weights from {}", wanted.filename));
    const std::map<std::string, Tensor> file = load_parameters(parameter_file(wanted.filename));
    std::map<std::string, Tensor> values;
    std::set<std::string> others;
    int64_t count = 0;
    for (const std::string& name : store_->names()) {
      const std::string key = wanted.name_in_file(name);
      const bool mine = !key.empty();
      count += mine ? 1 : 0;
      const auto found = mine ? file.find(key) : file.end();
      if (!mine || loaded.count(name) != 0 || (found == file.end() && wanted.ignore_missing)) {
        others.insert(name);
      } else if (found != file.end()) {
        values[name] = found->second;
      }
    }
    if (count == 0) {
      throw options->error(fmt::format("preload_from_files['{}']: no parameter of the network is meant", model));
    }
    set_values(values, wanted.filename, others);
    for (const auto& [name, value] : values) loaded.insert(name);
  }
  return loaded;
}

}  // namespace wende

#include "app/run_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/args.h"
#include "engine/file_name_check.h"
#include "io/atomic_file.h"

namespace wende {

namespace {

int verbosity(const Config& config) {
  const Value* value = config.find("log_verbosity");
  if (value == nullptr || !value->is_sequence() || value->items().empty()) {
    return static_cast<int>(config.get_int("log_verbosity", 3));
  }
  int64_t largest = 0;
  for (const Value& item : value->items()) {
    largest = std::max(largest, item.as_int());
  }
  return static_cast<int>(largest);
}

/// "stdout" among the names says nothing new: rank 0 writes there anyway.
std::string file_name(const Config& config) {
  const Value* value = config.find("log");
  if (value == nullptr || value->is_none()) {
    return "";
  }
  std::vector<std::string> names;
  for (const Value& item : items_of(*value)) {
    require_file_name(item, "log");  // it is opened before the rest of the config is looked at
    std::string name = item.as_string();
    name.erase(0, name.starts_with("|") ? 1 : 0);
    if (name != "stdout" && !name.empty()) {
      names.push_back(name);
    }
  }
  if (names.size() > 1) {
    throw value->error(fmt::format("log: {} files; there is one log", names.size()));
  }
  return names.empty() ? "" : names[0];
}

std::string with_rank(const std::string& file, const std::string& kind, const Communicator& communicator) {
  const std::filesystem::path path(file);
  const std::string name = fmt::format("{}.{}-{}-{}{}", path.stem().string(), kind, communicator.rank(),
                                       communicator.size(), path.extension().string());
  return (path.parent_path() / name).string();
}

}  // namespace

LogOptions run_log(const Config& config, const Communicator& communicator) {
  LogOptions options;
  options.file = file_name(config);
  options.to_stdout = communicator.is_root();
  options.verbosity = communicator.is_root() || !options.file.empty() ? verbosity(config) : 0;
  if (!options.file.empty()) {
    if (config.get_bool("use_horovod", false)) {
      options.file = with_rank(options.file, "horovod", communicator);
    } else if (!communicator.is_root()) {
      options.file = with_rank(options.file, "rank", communicator);
    }
    make_folders(folder_of(options.file));
  }
  return options;
}

}  // namespace wende

#include "engine/file_name_check.h"

#include <fmt/core.h>

#include <algorithm>

#include "config/args.h"
#include "io/atomic_file.h"

namespace wende {

namespace {

/// What file systems allow is 255; "-<epoch>-<date>" comes behind the name of a data set.
constexpr size_t kMostBytes = 200;

bool has_control_byte(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

void check_data_set(const Value& name, ErrorCollector& errors) {
  if (!name.is_string()) {
    return;
  }
  const std::string& text = name.as_string();
  if (text.empty() || text == "." || text == ".." || text.find('/') != std::string::npos || has_control_byte(text)) {
    errors.add(name.error(fmt::format("the data set's name {} becomes a part of file names", name.repr()))
                   .hint("'/', '..', and control bytes cannot be in it"));
  } else if (text.size() > kMostBytes) {
    errors.add(
        name.error(fmt::format("the data set's name has {} bytes; it becomes a part of file names, which may "
                               "have {}",
                               text.size(), kMostBytes)));
  }
}

/// Layers, also those of subnetworks and units, and the files that they write.
void check_layers(const Value& network, ErrorCollector& errors) {
  for (const auto& [name, options] : network.entries()) {
    if (!name.is_string() || name.as_string().empty()) {
      errors.add(name.error(fmt::format("a layer's name is a string of at least one letter, got {}", name.repr())));
      continue;
    }
    if (has_control_byte(name.as_string())) {
      errors.add(name.error(fmt::format("layer name {} has control bytes", name.repr())));
    }
    if (!options.is_dict()) {
      continue;
    }
    if (const Value* file = options.find("filename"); file != nullptr) {
      errors.run([&] { require_file_name(*file, "filename"); });
    }
    for (const char* inner : {"subnetwork", "unit"}) {
      if (const Value* layers = options.find(inner); layers != nullptr && layers->is_dict()) {
        check_layers(*layers, errors);
      }
    }
  }
}

}  // namespace

void require_file_name(const Value& path, const char* what) {
  if (path.is_string() && has_control_byte(path.as_string())) {
    throw path.error(fmt::format("{} {}: a file name must have no control bytes", what, path.repr()));
  }
}

void require_writable(const Config& config, const char* option, const std::string& path) {
  try {
    check_writable(path);
  } catch (Error& error) {
    if (const Value* value = config.find(option)) {
      error.at(value->span(), option);
    }
    throw;
  }
}

void check_file_names(const Config& config, ErrorCollector& errors) {
  for (const char* key : {"model", "log", "learning_rate_file", "output_file", "search_output_file", "tf_log_dir",
                          "timeline_file", "metrics_file"}) {
    const Value* path = config.find(key);
    if (path == nullptr) {
      continue;
    }
    for (const Value& item : items_of(*path)) {
      errors.run([&] { require_file_name(item, key); });
    }
  }
  if (const Value* sets = config.find("eval_datasets"); sets != nullptr && sets->is_dict()) {
    for (const auto& [name, options] : sets->entries()) {
      check_data_set(name, errors);
    }
  }
  if (const Value* network = config.find("network"); network != nullptr && network->is_dict()) {
    check_layers(*network, errors);
  }
}

}  // namespace wende

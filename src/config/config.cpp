#include "config/config.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "config/literal.h"
#include "config/overrides.h"
#include "config/python_object.h"

namespace wende {
namespace {

constexpr size_t kMaxBytes = size_t{64} << 20;

Error config_error(const std::string& file, std::string message) {
  return Error(ExitStatus::kConfig, std::move(message)).at({std::make_shared<const std::string>(file), 0, 0});
}

std::string read_source(const std::string& path) {
  std::error_code ignored;
  const auto place = SourceSpan{std::make_shared<const std::string>(path), 0, 0};
  if (!std::filesystem::exists(path, ignored)) {
    throw Error(ExitStatus::kMissingInput, "no such config file")
        .at(place)
        .hint("current folder: " + std::filesystem::current_path(ignored).string());
  }
  if (std::filesystem::is_directory(path, ignored)) throw config_error(path, "this is a directory, not a config file");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) throw Error(ExitStatus::kMissingInput, fmt::format("cannot read: {}", std::strerror(errno))).at(place);
  std::string source;
  char block[65536];
  while (const size_t count = std::fread(block, 1, sizeof(block), file.get())) {
    source.append(block, count);
    if (source.size() > kMaxBytes) throw config_error(path, "larger than 64 MiB; this is no config");
  }
  return source;
}

void refuse_foreign_bytes(const std::string& source, const std::string& file) {
  const std::string_view text = source;
  if (text.find_first_not_of(" \t\r\n\f") == std::string_view::npos) throw config_error(file, "the file is empty");
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    throw config_error(file, "the file is UTF-16 text").hint("convert it: iconv -f UTF-16 -t UTF-8");
  }
  const size_t zero = text.find('\0');
  if (text.starts_with("\x7f"
                       "ELF") ||
      text.starts_with("\x89HDF") || text.starts_with("\x1f\x8b") || text.starts_with("PK\x03\x04") ||
      text.starts_with("\x89PNG")) {
    throw config_error(file, "this is a binary file, not a config");
  }
  if (zero != std::string_view::npos) {
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(zero), '\n');
    throw config_error(file,
                       fmt::format("the file has NUL bytes (the first in line {}); it is binary or damaged", line));
  }
  size_t control = 0;
  for (const char c : text) control += static_cast<unsigned char>(c) < 8 ? 1 : 0;
  if (control > text.size() / 50) throw config_error(file, "this is a binary file, not a config");
}

/// RETURNN's oldest format: lines of `key value`, as in "num_epochs 5".
bool is_key_value_format(std::string_view text) {
  int pairs = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t word_end = line.find_first_of(" \t");
    if (line.empty() || line[0] == '#' || line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (word_end == std::string_view::npos || word_end == 0) return false;
    const std::string_view word = line.substr(0, word_end);
    const size_t value_at = line.find_first_not_of(" \t", word_end);
    if (value_at == std::string_view::npos || line[value_at] == '=' || word.find_first_of("=([{\"'.:") != word.npos) {
      return false;
    }
    for (const char* keyword : {"import", "from", "def", "class", "if", "for", "print", "return", "with", "try"}) {
      if (word == keyword) return false;
    }
    ++pairs;
  }
  return pairs > 0;
}

char first_character(std::string_view source) {
  const size_t at = source.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? '\0' : source[at];
}

}  // namespace

Config Config::from_file(const std::string& path, const Options& options) {
  std::string source = read_source(path);
  return from_text(std::move(source), path, options);
}

Config Config::from_source(const std::string& source, const std::string& file_name) {
  return from_text(source, file_name, Options{});
}

Config Config::from_text(std::string source, const std::string& file_name, const Options& options) {
  refuse_foreign_bytes(source, file_name);
  Config config;
  config.file_name_ = file_name;
  if (std::string_view(source).starts_with("\xef\xbb\xbf")) source.erase(0, 3);
  config.source_ = std::move(source);
  const auto overrides = parse_overrides(options.overrides);
  if (first_character(config.source_) == '{') {
    config.globals_ = parse_json_literal(config.source_, file_name);
  } else if (options.literal) {
    config.globals_ = parse_literal_config(config.source_, file_name, config.warnings_);
  } else {
    if (is_key_value_format(config.source_)) {
      throw config_error(file_name, "this config is in RETURNN's old `key value` format")
          .hint("write it as Python: `num_epochs = 5` instead of `num_epochs 5`");
    }
    python::Evaluated evaluated = python::evaluate_config(config.source_, file_name, overrides);
    config.globals_ = std::move(evaluated.globals);
    config.warnings_ = std::move(evaluated.warnings);
  }
  for (const auto& [key, value] : overrides) config.set(key, value);
  return config;
}

}  // namespace wende

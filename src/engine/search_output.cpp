#include "engine/search_output.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "engine/run_outputs.h"
#include "io/atomic_file.h"

namespace wende {
namespace {

/// As Python writes a string.
std::string python_text(const std::string& text) {
  const bool double_quotes = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = double_quotes ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n' || c == '\t' || c == '\r') {
      result += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    } else {
      result += c;
    }
  }
  return result + quote;
}

/// As NumPy writes a float32.
std::string number(float value) {
  const std::string text = fmt::format("{}", value);
  return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
}

int64_t characters_in(const std::string& utf8) {
  return std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

void pack(std::string& bytes, const std::string& text) { bytes += fmt::format("{:08}", text.size()) + text; }

std::string unpack(const std::string& bytes, size_t& at) {
  const size_t size = std::stoul(bytes.substr(at, 8));
  at += 8 + size;
  return bytes.substr(at - size, size);
}

}  // namespace

SearchOutput::SearchOutput(const Config& config, const NetworkLayer& layer, std::vector<std::string> labels,
                           Communicator& communicator)
    : path_(config.get_string("search_output_file", "")),
      name_(layer.name),
      data_(layer.output.data),
      labels_(std::move(labels)),
      communicator_(communicator) {
  const std::string format = config.get_string("search_output_file_format", "txt");
  if (format != "txt" && format != "py") {
    throw Error(ExitStatus::kConfig, "search_output_file_format is \"txt\" or \"py\", got '" + format + "'");
  }
  python_ = format == "py";
  if (!data_.sparse() || !data_.has_batch() || data_.rank() != 2 || !data_.has_time()) {
    throw Error(ExitStatus::kConfig,
                "task 'search' writes sequences of labels, layer '" + name_ + "' is " + data_.str());
  }
  const Dim classes = data_.sparse_dim;
  if (!labels_.empty() && classes.is_static() && static_cast<int64_t>(labels_.size()) < classes.size()) {
    throw Error(ExitStatus::kConfig,
                fmt::format("the dataset names {} labels, layer '{}' has {}", labels_.size(), name_, classes.size()));
  }
  if (path_.empty()) {
    return;
  }
  if (path_.ends_with(".gz")) {
    throw Error(ExitStatus::kConfig, "a compressed search_output_file is not supported by Wende " WENDE_VERSION);
  }
  if (labels_.empty()) {
    throw Error(ExitStatus::kConfig,
                "search_output_file: the dataset has no names for the labels of layer '" + name_ + "'");
  }
  if (communicator_.is_root()) {
    if (std::filesystem::exists(path_)) {
      throw Error(ExitStatus::kCannotCreate, "search_output_file '" + path_ + "' exists already");
    }
    check_writable(path_);
  }
  characters_ = labels_.size() < 1000 && std::all_of(labels_.begin(), labels_.end(), [](const std::string& label) {
                  return characters_in(label) == 1;
                });
}

std::string SearchOutput::text_of(const int32_t* labels, int64_t count) const {
  std::string text;
  for (int64_t i = 0; i < count; ++i) {
    const bool named = static_cast<size_t>(labels[i]) < labels_.size();
    text += i > 0 && !characters_ ? " " : "";
    text += named ? labels_[static_cast<size_t>(labels[i])] : fmt::format("{}", labels[i]);
  }
  return text;
}

/// One text, or with a beam a list of scores and texts.
std::string SearchOutput::serialized(const std::vector<std::string>& texts, const float* scores) const {
  if (scores == nullptr) {
    return python_ ? python_text(texts.front()) : texts.front();
  }
  std::string list = python_ ? "[\n" : "[";
  for (size_t k = 0; k < texts.size(); ++k) {
    list += fmt::format("{}({}, {}){}", !python_ && k > 0 ? ", " : "", number(scores[k]), python_text(texts[k]),
                        python_ ? ",\n" : "");
  }
  return list + "]";
}

void SearchOutput::add_batch(const Batch& batch, const std::vector<Tensor>& values, const Binding& binding) {
  std::string bytes;
  if (batch.size() > 0) {
    const ReadableOutput output = make_readable(data_, values.at(0), binding);
    const Tensor labels = output.values.as_contiguous();
    const int64_t beam = labels.dim(0) / batch.size();
    for (int64_t b = 0; b < batch.size(); ++b) {
      std::vector<std::string> texts;
      for (int64_t row = b * beam; row < (b + 1) * beam; ++row) {
        const int64_t length = output.sizes.empty() ? labels.dim(1) : output.sizes[0].second[static_cast<size_t>(row)];
        texts.push_back(text_of(labels.data<int32_t>() + row * labels.dim(1), length));
      }
      pack(bytes, fmt::format("{}", batch.indices[static_cast<size_t>(b)]));
      pack(bytes, batch.tags[static_cast<size_t>(b)]);
      pack(bytes, serialized(texts, values.size() > 1 ? values[1].data<float>() + b * beam : nullptr));
    }
  }
  for (const std::string& part : communicator_.gather(bytes)) {
    for (size_t at = 0; at < part.size();) {
      const int64_t index = std::stol(unpack(part, at));
      Found found;
      found.tag = unpack(part, at);
      found.text = unpack(part, at);
      log_line(4, fmt::format("seq_idx: {}, seq_tag: {}, output '{}': {}", index, python_text(found.tag), name_,
                              found.text));
      found_[index] = std::move(found);
    }
  }
}

void SearchOutput::write() {
  if (path_.empty() || !communicator_.is_root()) {
    return;
  }
  std::string text = python_ ? "{\n" : "";
  for (const auto& [index, found] : found_) {
    text += python_ ? fmt::format("{}: {},\n", python_text(found.tag), found.text) : found.text + "\n";
  }
  write_file_atomically(path_, text + (python_ ? "}\n" : ""));
}

}  // namespace wende

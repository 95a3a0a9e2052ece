#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "dataset/batch.h"

namespace wende {

namespace {

using Numbers = std::map<std::string, int64_t>;

const Value* given(const Value* value) { return value != nullptr && !value->is_none() ? value : nullptr; }

int64_t whole_number(const Value& value) {
  if (value.kind() != Value::Kind::kFloat) return value.as_int();
  const double number = value.as_float();
  // float("inf") and the like stand for "no limit".
  if (number > 9e18) return std::numeric_limits<int64_t>::max();
  if (number != std::floor(number)) throw value.error(fmt::format("a whole number is needed, not {}", value.repr()));
  return static_cast<int64_t>(number);
}

/// A number for all keys (""), or a dict with numbers per key.
Numbers numbers_of(const Value& value) {
  Numbers numbers;
  if (value.is_dict()) {
    for (const auto& [key, number] : value.entries()) numbers[key.as_string()] = whole_number(number);
  } else {
    numbers[""] = whole_number(value);
  }
  return numbers;
}

Numbers read_limits(const Config& config, const std::string& key) {
  const Value* value = given(config.find(key));
  if (value == nullptr) return {};
  Numbers limits = numbers_of(*value);
  const auto all = limits.find("");
  if (all == limits.end()) return limits;
  if (all->second == 0) return {};
  if (all->second < 0) return {{"classes", -all->second}};
  return limits;
}

int64_t parse_part(const Value& value, const std::string& text) {
  int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) {
    throw value.error(fmt::format("chunking must be like \"100:75\" (size:step), not {}", value.repr()));
  }
  return number;
}

void read_sizes_and_steps(const Value& value, Numbers& sizes, Numbers& steps) {
  if (value.is_callable()) throw value.error("a function as chunking is not supported");
  if (value.is_string()) {
    const std::string& text = value.as_string();
    const size_t colon = text.find(':');
    sizes[""] = parse_part(value, text.substr(0, colon));
    if (colon != std::string::npos) steps[""] = parse_part(value, text.substr(colon + 1));
  } else if (value.is_sequence()) {
    if (value.items().size() != 2)
      throw value.error(fmt::format("chunking must be (size, step), not {}", value.repr()));
    if (!value.items()[0].is_none()) sizes = numbers_of(value.items()[0]);
    if (!value.items()[1].is_none()) steps = numbers_of(value.items()[1]);
  } else {
    sizes = numbers_of(value);
  }
}

void read_chunking(const Value& value, BatchOptions& options) {
  Numbers sizes;
  Numbers steps;
  read_sizes_and_steps(value, sizes, steps);
  const bool off = std::all_of(sizes.begin(), sizes.end(), [](const auto& item) { return item.second == 0; });
  if (off) return;
  if (steps.empty() || (steps.size() == 1 && steps.contains("") && steps[""] == 0)) steps = sizes;
  bool same_keys = steps.size() == sizes.size();
  int64_t largest_step = 0;
  for (const auto& [key, size] : sizes) {
    if (size <= 0) throw value.error(fmt::format("chunking: the size must be positive, not {}", size));
    same_keys = same_keys && steps.contains(key);
  }
  for (const auto& [key, step] : steps) {
    if (step < 0) throw value.error(fmt::format("chunking: the step must not be negative, it is {}", step));
    largest_step = std::max(largest_step, step);
  }
  if (!same_keys) throw value.error("chunking: sizes and steps must be for the same keys");
  if (largest_step == 0) throw value.error("chunking: some step must be positive");
  options.chunk_size = std::move(sizes);
  options.chunk_step = std::move(steps);
}

/// The dict that defines the role's dataset, if there is one.
const Value* dataset_dict(const Config& config, const std::string& role) {
  const Value* dataset = config.find(role);
  if (dataset == nullptr) {
    const Value* more = given(config.find("eval_datasets"));
    dataset = more != nullptr && more->is_dict() ? more->find(role) : nullptr;
  }
  return dataset != nullptr && dataset->is_dict() ? dataset : nullptr;
}

/// Only the train set is chunked by the config's option; a dataset's own option wins.
const Value* find_chunking(const Config& config, const std::string& role) {
  const Value* general = given(config.find("chunking"));
  const Value* dataset = dataset_dict(config, role);
  const Value* own = dataset != nullptr ? dataset->find("chunking") : nullptr;
  if (given(own) != nullptr) return own;
  if (role == "train") return general;
  if (role != "dev" && role != "eval") return nullptr;
  if (own != nullptr) return general;
  const bool chunk_eval = config.get_bool("chunk_eval", false);
  const bool frames = general != nullptr && general->is_string() && general->as_string() == "1";
  return chunk_eval || frames ? general : nullptr;
}

int64_t read_min_chunk_size(const Config& config, const std::string& role) {
  const Value* dataset = dataset_dict(config, role);
  const Value* own = dataset != nullptr ? given(dataset->find("min_chunk_size")) : nullptr;
  return own != nullptr ? own->as_int() : config.get_int("min_chunk_size", 0);
}

}  // namespace

BatchOptions BatchOptions::from_config(const Config& config, const std::string& role, bool recurrent_net) {
  BatchOptions options;
  const bool forward = role == "forward";
  const Value* size = given(config.find("batch_size"));
  if (forward && given(config.find("forward_batch_size")) != nullptr) size = config.find("forward_batch_size");
  options.batch_size = size != nullptr ? numbers_of(*size) : Numbers{{"", 1}};
  for (const auto& [key, number] : options.batch_size) {
    if (number <= 0) throw size->error(fmt::format("batch_size must be positive, not {}", number));
  }
  const Value* max_seqs = given(config.find("max_seqs"));
  if (max_seqs != nullptr) {
    options.max_seqs = max_seqs->as_int();
    if (options.max_seqs != -1 && options.max_seqs <= 0) {
      throw max_seqs->error(fmt::format("max_seqs must be positive (or -1: no limit), not {}", options.max_seqs));
    }
  }
  if (role == "train" || role == "dev") options.max_seq_length = read_limits(config, "max_seq_length");
  if (role == "train") {
    options.min_seq_length = read_limits(config, "min_seq_length");
    if (const Value* pad = given(config.find("max_pad_size"))) options.max_pad_size = pad->as_int();
  }
  if (const Value* chunking = find_chunking(config, role)) read_chunking(*chunking, options);
  options.min_chunk_size = read_min_chunk_size(config, role);
  // Forwarding keeps sequences apart whatever the net: its output is per sequence.
  options.frame_mode = !recurrent_net && !forward;
  return options;
}

}  // namespace wende

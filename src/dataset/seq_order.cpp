#include "dataset/seq_order.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <numeric>

#include "base/random_state.h"
#include "config/literal.h"
#include "dataset/tag_list.h"
#include "io/text_file.h"

namespace wende {

namespace {

using Order = std::vector<int64_t>;
using LengthFunction = std::function<int64_t(int64_t)>;

const std::vector<std::string> kOrderings = {
    "default",          "default_every_n:N",   "reverse", "sorted", "sorted_reverse", "random", "random_sample",
    "sort_bin_shuffle", "sort_bin_shuffle_x2", "laplace"};

/// "laplace:.100:2" in parts.
struct Ordering {
  std::string name;
  std::vector<std::string> args;
  const SeqOrderOptions& options;
  std::string text;

  Error error(const std::string& why) const {
    Error error = options.seq_ordering.error(fmt::format("seq_ordering '{}': {}", text, why));
    return error;
  }

  int64_t positive(const std::string& arg) const {
    int64_t value = 0;
    const auto [end, code] = std::from_chars(arg.data(), arg.data() + arg.size(), value);
    if (code != std::errc() || end != arg.data() + arg.size() || value <= 0) {
      throw error(fmt::format("'{}' is not a positive number", arg));
    }
    return value;
  }

  /// How many bins: "5", or ".100" for bins of about 100 sequences.
  int64_t bins(int64_t sequences) const {
    if (args.empty()) return 2;
    if (args[0].starts_with(".")) return std::max<int64_t>(sequences / positive(args[0].substr(1)), 2);
    return positive(args[0]);
  }

  int64_t nth(size_t index) const { return args.size() > index ? positive(args[index]) : 1; }
};

Ordering parse_ordering(const SeqOrderOptions& options, int epoch) {
  Ordering ordering{.name = {}, .args = {}, .options = options, .text = options.ordering_for(epoch)};
  size_t begin = 0;
  for (bool first = true; begin <= ordering.text.size(); first = false) {
    const size_t end = std::min(ordering.text.find(':', begin), ordering.text.size());
    std::string part = ordering.text.substr(begin, end - begin);
    if (first) {
      ordering.name = std::move(part);
    } else {
      ordering.args.push_back(std::move(part));
    }
    begin = end + 1;
  }
  return ordering;
}

Order every_nth(int64_t sequences, int64_t n) {
  const int64_t rows = sequences / n;
  Order order;
  order.reserve(static_cast<size_t>(rows * n));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < n; ++column) order.push_back(row + column * rows);
  }
  return order;
}

template <class Iterator>
void sort_by_length(Iterator begin, Iterator end, const LengthFunction& length, bool descending) {
  std::stable_sort(begin, end,
                   [&](int64_t a, int64_t b) { return descending ? length(b) < length(a) : length(a) < length(b); });
}

/// Sorted by length, cut into bins, bins shuffled (and the sequences within a bin, too).
Order sort_bin_shuffle(const Ordering& ordering, int epoch, int64_t sequences, const LengthFunction& length) {
  RandomState random(ordering.options.random_seed(epoch, ordering.nth(1)));
  Order sorted = random.permutation(sequences);
  sort_by_length(sorted.begin(), sorted.end(), length, false);
  const int64_t bins = ordering.bins(sequences);
  Order order;
  order.reserve(sorted.size());
  for (int64_t bin : random.permutation(bins)) {
    Order part(sorted.begin() + bin * sequences / bins, sorted.begin() + (bin + 1) * sequences / bins);
    if (ordering.name == "sort_bin_shuffle_x2") random.shuffle(part);
    order.insert(order.end(), part.begin(), part.end());
  }
  return order;
}

/// Shuffled, cut into bins, each bin sorted, up and down in turn.
Order laplace(const Ordering& ordering, int epoch, int64_t sequences, const LengthFunction& length) {
  Order order = RandomState(ordering.options.random_seed(epoch, ordering.nth(1))).permutation(sequences);
  const int64_t bins = ordering.bins(sequences);
  for (int64_t bin = 0; bin < bins; ++bin) {
    sort_by_length(order.begin() + bin * sequences / bins, order.begin() + (bin + 1) * sequences / bins, length,
                   bin % 2 == 1);
  }
  return order;
}

Order random_sample(const Ordering& ordering, int epoch, int64_t sequences) {
  RandomState random(ordering.options.random_seed(epoch, ordering.nth(0)));
  Order order(static_cast<size_t>(sequences));
  for (int64_t& index : order) index = random.randint(0, sequences);
  return order;
}

Order order_all(const Ordering& ordering, int epoch, int64_t sequences, const LengthFunction& length) {
  const std::string& name = ordering.name;
  if (name == "random") {
    return RandomState(ordering.options.random_seed(epoch, ordering.nth(0))).permutation(sequences);
  }
  if (name == "random_sample") return random_sample(ordering, epoch, sequences);
  if (name == "sort_bin_shuffle" || name == "sort_bin_shuffle_x2") {
    return sort_bin_shuffle(ordering, epoch, sequences, length);
  }
  if (name == "laplace") return laplace(ordering, epoch, sequences, length);
  if (name == "default_every_n" && ordering.args.size() == 1) {
    return every_nth(sequences, ordering.positive(ordering.args[0]));
  }
  Order order(static_cast<size_t>(sequences));
  std::iota(order.begin(), order.end(), int64_t{0});
  if (ordering.args.empty()) {
    if (name == "default") return order;
    if (name == "reverse") return {order.rbegin(), order.rend()};
    if (name == "sorted" || name == "sorted_reverse") {
      sort_by_length(order.begin(), order.end(), length, name == "sorted_reverse");
      return order;
    }
  }
  throw ordering.error("unknown ordering").hint(did_you_mean(name, kOrderings));
}

/// Consecutive parts; the first (N mod parts) of them have one sequence more.
Order partition(const Order& order, int64_t parts, int64_t part) {
  const int64_t each = static_cast<int64_t>(order.size()) / parts;
  const int64_t longer = static_cast<int64_t>(order.size()) % parts;
  auto start = [&](int64_t index) { return index * each + std::min(index, longer); };
  return {order.begin() + start(part), order.begin() + start(part + 1)};
}

/// Tag to length, as a Python dict.
std::shared_ptr<const std::map<std::string, int64_t>> read_lengths(const Value& file) {
  auto lengths = std::make_shared<std::map<std::string, int64_t>>();
  const std::string& path = file.as_string();
  const Value given = parse_literal(read_text_file(path), path);
  for (const auto& [tag, length] : given.entries()) {
    (*lengths)[tag.as_string()] = length.as_int();
  }
  return lengths;
}

int64_t positive_option(const Value& dataset, const std::string& key) {
  const Value* value = dataset.find(key);
  if (value == nullptr || value->is_none() || value->as_int() == 0) return 1;
  if (value->as_int() < 0) throw value->error(fmt::format("{} must be positive, not {}", key, value->as_int()));
  return value->as_int();
}

Value default_ordering(const Config& config, const std::string& role, bool written_none) {
  if ((role == "dev" || role == "eval") && !written_none) return Value::of("sorted");
  const Value* batching = config.find("batching");
  const bool main_role = role == "train" || role == "dev" || role == "eval";
  return main_role && batching != nullptr && !batching->is_none() ? *batching : Value::of("default");
}

int64_t default_seed_offset(const Config& config) {
  const char* outer = std::getenv("RETURNN_RANDOM_SEED_OFFSET");
  return outer != nullptr ? std::atoll(outer) : config.get_int("dataset_random_seed_offset", 0);
}

}  // namespace

SeqOrderOptions SeqOrderOptions::from_value(const Value& dataset, const Config& config, const std::string& role) {
  SeqOrderOptions options;
  const Value* written = dataset.find("seq_ordering");
  options.seq_ordering =
      written != nullptr && !written->is_none() ? *written : default_ordering(config, role, written != nullptr);
  auto given = [&](const char* key) {
    const Value* value = dataset.find(key);
    return value != nullptr && !value->is_none() ? value : nullptr;
  };
  if (const Value* seed = given("fixed_random_seed")) options.fixed_random_seed = seed->as_int();
  const Value* offset = given("random_seed_offset");
  options.random_seed_offset = offset != nullptr ? offset->as_int() : default_seed_offset(config);
  options.partition_epoch = positive_option(dataset, "partition_epoch");
  options.repeat_epoch = positive_option(dataset, "repeat_epoch");
  if (options.partition_epoch > 1 && options.repeat_epoch > 1) {
    throw dataset.error("partition_epoch and repeat_epoch cannot be combined");
  }
  if (const Value* unique = given("unique_seq_tags")) options.unique_seq_tags = unique->as_bool();
  if (const Value* file = given("seq_list_filter_file")) {
    options.tag_filter.emplace();
    for (std::string& tag : read_tag_list(*file)) {
      if (!tag.empty()) options.tag_filter->insert(std::move(tag));
    }
  }
  if (const Value* file = given("seq_order_seq_lens_file"); file != nullptr && file->kind() != Value::Kind::kInt) {
    options.lengths = read_lengths(*file);
  }
  return options;
}

uint32_t SeqOrderOptions::random_seed(int epoch, int64_t epochs_fixed) const {
  if (fixed_random_seed) return static_cast<uint32_t>(*fixed_random_seed);
  int64_t seed = std::max(epoch, 1);
  seed = (seed - 1) / partition_epoch + 1;
  seed = (seed - 1) / epochs_fixed + 1;
  return static_cast<uint32_t>(seed + random_seed_offset);
}

std::string SeqOrderOptions::ordering_for(int epoch) const {
  if (!seq_ordering.is_callable()) return seq_ordering.as_string();
  return seq_ordering.as_callable().call({}, {{"epoch", Value::of(int64_t{epoch})}}).as_string();
}

int64_t SeqOrderOptions::length_of(const std::string& tag) const {
  const auto found = lengths->find(tag);
  if (found != lengths->end()) return found->second;
  throw Error(ExitStatus::kMalformedInput, fmt::format("seq_order_seq_lens_file: no length of sequence '{}'", tag));
}

std::vector<int64_t> order_sequences(const SeqOrderOptions& options, int epoch, int64_t sequences,
                                     const std::function<int64_t(int64_t)>& length,
                                     const std::function<std::string(int64_t)>& tag) {
  if (sequences == 0) return {};
  Order order = order_all(parse_ordering(options, epoch), epoch, sequences, length);
  if (options.unique_seq_tags) {
    std::set<std::string> seen;
    std::erase_if(order, [&](int64_t index) { return !seen.insert(tag(index)).second; });
  }
  if (options.partition_epoch > 1) {
    order = partition(order, options.partition_epoch, (std::max(epoch, 1) - 1) % options.partition_epoch);
  }
  const Order once = order;
  for (int64_t i = 1; i < options.repeat_epoch; ++i) order.insert(order.end(), once.begin(), once.end());
  if (options.tag_filter) {
    const std::string example = order.empty() ? std::string() : tag(order.front());
    std::erase_if(order, [&](int64_t index) { return !options.tag_filter->contains(tag(index)); });
    if (order.empty()) {
      throw Error(ExitStatus::kMalformedInput,
                  fmt::format("seq_list_filter_file leaves no sequence: it names {} tags, the data has tags like '{}'",
                              options.tag_filter->size(), example));
    }
  }
  return order;
}

}  // namespace wende

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"

namespace wende {

/// In which order an epoch goes through a corpus, and through which part of it (semantics section 17).
struct SeqOrderOptions {
  Value seq_ordering = Value::of("default");  ///< a string, or a function of the epoch
  std::optional<int64_t> fixed_random_seed;
  int64_t random_seed_offset = 0;
  int64_t partition_epoch = 1;
  int64_t repeat_epoch = 1;
  bool unique_seq_tags = false;
  std::optional<std::set<std::string>> tag_filter;
  std::shared_ptr<const std::map<std::string, int64_t>> lengths;  ///< by tag, of seq_order_seq_lens_file; may be null

  /// From a dataset dict. `role` decides the default ordering: train takes `batching`, dev and eval are sorted.
  static SeqOrderOptions from_value(const Value& dataset, const Config& config, const std::string& role);

  uint32_t random_seed(int epoch, int64_t epochs_fixed = 1) const;
  std::string ordering_for(int epoch) const;
  int64_t length_of(const std::string& tag) const;  ///< of `lengths`
  bool needs_tags() const { return unique_seq_tags || tag_filter.has_value(); }
};

/// Corpus indices in the order of the epoch. `length` is asked by the orders that sort, `tag` if needs_tags().
std::vector<int64_t> order_sequences(const SeqOrderOptions& options, int epoch, int64_t sequences,
                                     const std::function<int64_t(int64_t)>& length,
                                     const std::function<std::string(int64_t)>& tag);

}  // namespace wende

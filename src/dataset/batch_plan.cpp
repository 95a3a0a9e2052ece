#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "dataset/batch.h"

namespace wende {

namespace {

using Numbers = std::map<std::string, int64_t>;
using Piece = BatchPlan::Piece;

/// The number of a key, or that of all keys, or `fallback`.
int64_t number_for(const Numbers& numbers, const std::string& key, int64_t fallback) {
  auto found = numbers.find(key);
  if (found == numbers.end()) found = numbers.find("");
  return found != numbers.end() ? found->second : fallback;
}

int64_t limit_for(const Numbers& limits, const std::string& key) {
  return number_for(limits, key, std::numeric_limits<int64_t>::max());
}

int64_t length_of(const std::pair<int64_t, int64_t>& range) { return range.second - range.first; }

/// Cuts sequences into chunks. All keys advance together; keys of length <= 1 are given whole to every chunk.
class Chunker {
 public:
  Chunker(const BatchOptions& options, std::vector<std::string> keys) : options_(options), keys_(std::move(keys)) {
    for (const std::string& key : keys_) {
      steps_.push_back(number_for(options.chunk_step, key, -1));
      sizes_.push_back(number_for(options.chunk_size, key, -1));
    }
    const auto data = std::find(keys_.begin(), keys_.end(), "data");
    main_ = data != keys_.end() ? static_cast<size_t>(data - keys_.begin()) : 0;
    for (size_t i = 0; steps_[main_] <= 0 && i < keys_.size(); ++i) {
      if (steps_[i] > 0) main_ = i;
    }
  }

  template <class Emit>
  void cut(const Dataset& dataset, int64_t sequence, const Emit& emit) const {
    std::vector<int64_t> lengths;
    for (const std::string& key : keys_) lengths.push_back(dataset.length(sequence, key));
    const std::vector<bool> whole = whole_keys(lengths, dataset, sequence);
    for (int64_t chunk = 0; chunk * steps_[main_] < lengths[main_]; ++chunk) {
      if (chunk > 0 && ends_before(chunk, lengths)) return;
      Piece piece{.sequence = sequence, .range = {}};
      for (size_t i = 0; i < keys_.size(); ++i) {
        const int64_t begin = chunk * steps_[i];
        piece.range[keys_[i]] = whole[i] ? std::pair<int64_t, int64_t>{0, lengths[i]}
                                         : std::pair{begin, std::min(begin + sizes_[i], lengths[i])};
      }
      emit(std::move(piece));
    }
  }

 private:
  bool ends_before(int64_t chunk, const std::vector<int64_t>& lengths) const {
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (lengths[i] - chunk * std::max<int64_t>(steps_[i], 0) <= options_.min_chunk_size) return true;
    }
    return false;
  }

  std::vector<bool> whole_keys(const std::vector<int64_t>& lengths, const Dataset& dataset, int64_t sequence) const {
    std::vector<bool> whole(keys_.size(), false);
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (steps_[i] == steps_[main_] && lengths[i] == lengths[main_]) continue;
      if (lengths[i] <= 1) {
        whole[i] = true;
        continue;
      }
      if (steps_[i] < 0) {
        throw Error(ExitStatus::kConfig,
                    fmt::format("chunking has no size for '{}', which the network uses", keys_[i]));
      }
      if (steps_[i] != steps_[main_] && chunks(lengths, i) == chunks(lengths, main_)) continue;
      throw Error(
          ExitStatus::kConfig,
          fmt::format("chunking needs keys of equal length, but in sequence '{}' '{}' has {} frames and '{}' {}",
                      dataset.tag(sequence), keys_[main_], lengths[main_], keys_[i], lengths[i]))
          .hint("chunking takes a dict with a size per key");
    }
    return whole;
  }

  int64_t chunks(const std::vector<int64_t>& lengths, size_t i) const {
    const int64_t least = std::max<int64_t>(options_.min_chunk_size, 1);
    return steps_[i] > 0 ? (lengths[i] - least) / steps_[i] + 1 : -1;
  }

  const BatchOptions& options_;
  std::vector<std::string> keys_;
  std::vector<int64_t> steps_, sizes_;
  size_t main_ = 0;
};

/// Pieces side by side, each its own row, until a limit is reached.
class RowPacker {
 public:
  RowPacker(const BatchOptions& options, BatchPlan& plan) : options_(options), plan_(plan) {}

  void add(Piece piece) {
    bool longer = false;
    for (const auto& [key, range] : piece.range) {
      const int64_t length = length_of(range);
      if (length > limit_for(options_.max_seq_length, key)) return;
      if (length < number_for(options_.min_seq_length, key, 0)) return;
      longer = longer || length > limit_for(options_.batch_size, key);
    }
    if (longer) ++longer_than_batch_;
    if (!batch_.empty() && !fits(piece)) flush();
    for (const auto& [key, range] : piece.range) {
      longest_[key] = std::max(longest_[key], length_of(range));
      total_[key] += length_of(range);
    }
    batch_.push_back(std::move(piece));
  }

  void finish() {
    const bool frames = std::any_of(longest_.begin(), longest_.end(), [](const auto& item) { return item.second > 0; });
    if (frames) flush();
    if (longer_than_batch_ > 0) {
      log_line(2, fmt::format("{} sequences are longer than batch_size; each of them is a batch of its own",
                              longer_than_batch_));
    }
  }

 private:
  bool fits(const Piece& piece) const {
    const int64_t rows = static_cast<int64_t>(batch_.size()) + 1;
    if (options_.max_seqs > 0 && rows > options_.max_seqs) return false;
    for (const auto& [key, range] : piece.range) {
      const int64_t padded = std::max(longest_.at(key), length_of(range)) * rows;
      if (padded > limit_for(options_.batch_size, key)) return false;
      const int64_t padding = padded - total_.at(key) - length_of(range);
      if (options_.max_pad_size >= 0 && padding > options_.max_pad_size) return false;
    }
    return true;
  }

  void flush() {
    plan_.batches.push_back(std::move(batch_));
    batch_.clear();
    longest_.clear();
    total_.clear();
  }

  const BatchOptions& options_;
  BatchPlan& plan_;
  std::vector<Piece> batch_;
  Numbers longest_, total_;
  int64_t longer_than_batch_ = 0;
};

/// Sequences end to end in one row, cut whenever batch_size frames are together.
class FramePacker {
 public:
  FramePacker(const BatchOptions& options, BatchPlan& plan) : options_(options), plan_(plan) {}

  void add(const Piece& sequence) {
    Piece rest = sequence;
    while (has_frames(rest)) {
      Piece piece{.sequence = rest.sequence, .range = {}};
      int64_t longest = 0;
      bool full = false;
      for (auto& [key, range] : rest.range) {
        const int64_t limit = limit_for(options_.batch_size, key);
        const int64_t frames = std::min(length_of(range), limit - row_);
        piece.range[key] = {range.first, range.first + frames};
        range.first += frames;
        longest = std::max(longest, frames);
        full = full || row_ + frames >= limit;
      }
      row_ += longest;
      const int64_t first = batch_.empty() ? piece.sequence : batch_.front().sequence;
      const bool too_many = options_.max_seqs > 0 && piece.sequence + 1 - first > options_.max_seqs;
      batch_.push_back(std::move(piece));
      if (full || too_many) flush();
    }
  }

  void finish() {
    if (row_ > 0) flush();
  }

 private:
  static bool has_frames(const Piece& piece) {
    return std::any_of(piece.range.begin(), piece.range.end(), [](const auto& r) { return length_of(r.second) > 0; });
  }

  void flush() {
    plan_.batches.push_back(std::move(batch_));
    batch_.clear();
    row_ = 0;
  }

  const BatchOptions& options_;
  BatchPlan& plan_;
  std::vector<Piece> batch_;
  int64_t row_ = 0;
};

/// Whole sequences count with all keys of the dataset, chunks only with those that the network uses (as in RETURNN).
std::vector<std::string> keys_of(const Dataset& dataset) {
  std::vector<std::string> keys;
  for (const auto& [key, info] : dataset.keys()) keys.push_back(key);
  return keys;
}

}  // namespace

BatchPlan plan_batches(const Dataset& dataset, const BatchOptions& options) {
  BatchPlan plan;
  const std::vector<std::string> keys = keys_of(dataset);
  auto whole = [&](int64_t sequence) {
    Piece piece{.sequence = sequence, .range = {}};
    for (const std::string& key : keys) piece.range[key] = {0, dataset.length(sequence, key)};
    return piece;
  };
  const int64_t sequences = dataset.sequence_count();
  if (options.frame_mode) {
    if (!options.chunk_size.empty()) log_line(4, "non-recurrent network: chunking is ignored");
    FramePacker packer(options, plan);
    for (int64_t i = 0; i < sequences; ++i) packer.add(whole(i));
    packer.finish();
    return plan;
  }
  RowPacker packer(options, plan);
  if (options.chunk_size.empty()) {
    for (int64_t i = 0; i < sequences; ++i) packer.add(whole(i));
  } else {
    const Chunker chunker(options, options.keys.empty() ? keys : options.keys);
    for (int64_t i = 0; i < sequences; ++i) {
      chunker.cut(dataset, i, [&](Piece piece) { packer.add(std::move(piece)); });
    }
  }
  packer.finish();
  return plan;
}

}  // namespace wende

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "dataset/batch.h"

namespace wende {

namespace {

/// How many batches wait at most. RETURNN keeps 10; these are enough to hide the loading of one long batch.
constexpr size_t kAhead = 4;

/// Where a piece comes to lie: its row, and the frame of the row at which it starts.
struct Slot {
  const BatchPlan::Piece* piece;
  int64_t row;
  int64_t offset;
};

int64_t longest_of(const BatchPlan::Piece& piece) {
  int64_t longest = 0;
  for (const auto& [key, range] : piece.range) longest = std::max(longest, range.second - range.first);
  return longest;
}

std::vector<Slot> slots_of(const std::vector<BatchPlan::Piece>& pieces, bool one_row) {
  std::vector<Slot> slots;
  int64_t offset = 0;
  for (const BatchPlan::Piece& piece : pieces) {
    slots.push_back({&piece, one_row ? 0 : static_cast<int64_t>(slots.size()), one_row ? offset : 0});
    offset += longest_of(piece);
  }
  return slots;
}

/// Copies the frames of one key of one piece into the padded batch.
void copy_piece(const Tensor& source, const std::pair<int64_t, int64_t>& range, const Slot& slot, Tensor& target) {
  const int64_t frames = range.second - range.first;
  if (frames == 0) return;
  Tensor row = target.sliced(0, slot.row, slot.row + 1).sliced(1, slot.offset, slot.offset + frames);
  Shape shape;
  for (int axis = 1; axis < row.rank(); ++axis) shape.push_back(row.dim(axis));
  row.reshaped(shape).copy_from(source.sliced(0, range.first, range.second));
}

class BatchMaker {
 public:
  BatchMaker(Dataset& dataset, const BatchOptions& options) : dataset_(dataset), options_(options) {}

  Batch make(const std::vector<BatchPlan::Piece>& pieces, int64_t number) {
    const std::vector<Slot> slots = slots_of(pieces, options_.frame_mode);
    std::vector<Sequence> sequences;
    for (const Slot& slot : slots) {
      const bool same = !sequences.empty() && sequences.back().index == slot.piece->sequence;
      sequences.push_back(same ? sequences.back() : dataset_.load(slot.piece->sequence));
    }
    Batch batch;
    batch.number = number;
    for (const auto& [key, range] : pieces.front().range) {
      if (wanted(key)) fill_key(batch, key, slots, sequences);
    }
    name_rows(batch, sequences);
    identify_rows(batch, slots);
    const int64_t total = dataset_.sequence_count();
    batch.epoch_fraction =
        total > 0 ? static_cast<double>(pieces.back().sequence + 1) / static_cast<double>(total) : -1;
    return batch;
  }

 private:
  bool wanted(const std::string& key) const {
    return options_.keys.empty() || std::find(options_.keys.begin(), options_.keys.end(), key) != options_.keys.end();
  }

  void fill_key(Batch& batch, const std::string& key, const std::vector<Slot>& slots,
                const std::vector<Sequence>& sequences) const {
    const int64_t rows = slots.back().row + 1;
    std::vector<int32_t> lengths(static_cast<size_t>(rows), 0);
    int64_t frames = 0;
    for (const Slot& slot : slots) {
      const auto& range = slot.piece->range.at(key);
      const int64_t end = slot.offset + range.second - range.first;
      int32_t& length = lengths[static_cast<size_t>(slot.row)];
      length = std::max(length, static_cast<int32_t>(end));
      frames = std::max(frames, end);
    }
    const Tensor& first = sequences.front().data.at(key);
    Shape shape{rows, frames};
    for (int axis = 1; axis < first.rank(); ++axis) shape.push_back(first.dim(axis));
    Tensor padded = Tensor::zeros(first.dtype(), shape);
    for (size_t i = 0; i < slots.size(); ++i) {
      copy_piece(sequences[i].data.at(key), slots[i].piece->range.at(key), slots[i], padded);
    }
    batch.data[key] = std::move(padded);
    batch.lengths[key] = std::move(lengths);
  }

  /// A row of several sequences has all their tags, joined by ";".
  void name_rows(Batch& batch, const std::vector<Sequence>& sequences) const {
    for (const Sequence& sequence : sequences) {
      if (options_.frame_mode && !batch.tags.empty()) {
        batch.tags.front() += ";" + sequence.tag;
        continue;
      }
      batch.tags.push_back(sequence.tag);
      batch.indices.push_back(sequence.index);
    }
  }

  /// A chunk is told from others of its sequence by where it begins.
  static void identify_rows(Batch& batch, const std::vector<Slot>& slots) {
    batch.rows.resize(static_cast<size_t>(slots.back().row + 1));
    for (const Slot& slot : slots) {
      const int64_t begin = slot.piece->range.begin()->second.first;
      const uint64_t id = static_cast<uint64_t>(slot.piece->sequence) << 32 ^ static_cast<uint64_t>(begin);
      batch.rows[static_cast<size_t>(slot.row)].emplace_back(id, slot.offset);
    }
  }

  Dataset& dataset_;
  const BatchOptions& options_;
};

}  // namespace

class BatchLoader::Impl {
 public:
  Impl(Dataset& dataset, BatchPlan plan, BatchOptions options, int rank, int ranks, int64_t first_batch)
      : plan_(std::move(plan)), options_(std::move(options)), maker_(dataset, options_) {
    for (int64_t i = first_batch; i < static_cast<int64_t>(plan_.batches.size()); ++i) {
      if (i % ranks == rank) numbers_.push_back(i);
    }
    thread_ = std::thread([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::optional<Batch> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || done_; });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    Batch batch = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return batch;
  }

  bool ready() {
    const std::lock_guard lock(mutex_);
    return !ready_.empty() || done_;
  }

  int64_t batch_count() const { return static_cast<int64_t>(numbers_.size()); }

 private:
  void run() {
    try {
      for (int64_t number : numbers_) {
        Batch batch = maker_.make(plan_.batches[static_cast<size_t>(number)], number);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stop_ || ready_.size() < kAhead; });
        if (stop_) return;
        ready_.push_back(std::move(batch));
        lock.unlock();
        changed_.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
  }

  BatchPlan plan_;
  BatchOptions options_;
  BatchMaker maker_;
  std::vector<int64_t> numbers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> ready_;
  std::exception_ptr error_;
  bool stop_ = false;
  bool done_ = false;
  std::thread thread_;
};

BatchLoader::BatchLoader(Dataset& dataset, BatchPlan plan, BatchOptions options, int rank, int ranks,
                         int64_t first_batch)
    : impl_(std::make_unique<Impl>(dataset, std::move(plan), std::move(options), rank, ranks, first_batch)) {}
BatchLoader::~BatchLoader() = default;
std::optional<Batch> BatchLoader::next() { return impl_->next(); }
bool BatchLoader::ready() { return impl_->ready(); }
int64_t BatchLoader::batch_count() const { return impl_->batch_count(); }

}  // namespace wende

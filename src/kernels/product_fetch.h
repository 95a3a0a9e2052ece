#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/product_tiles.h"

namespace wende::cpu {

/// The cache lines of an Ahead, one after another.
class AheadLines {
 public:
  AheadLines(const Ahead& ahead, int64_t steps)
      : ahead_(ahead), row_(ahead.first), per_step_((most_lines(ahead) + steps - 1) / steps) {
    begin_row();
  }

  /// Asks for as many as make all of them in the given number of steps.
  void fetch() {
    for (int64_t i = 0; i < per_step_ && row_ < ahead_.last; ++i) {
      __builtin_prefetch(line_, 0, 2);
      line_ += kLine;
      if (line_ >= end_) {
        ++row_;
        begin_row();
      }
    }
  }

 private:
  static constexpr int64_t kLine = 16;  // floats
  static int64_t most_lines(const Ahead& ahead) { return (ahead.last - ahead.first) * (ahead.floats / kLine + 1); }
  void begin_row() {
    if (row_ >= ahead_.last) return;
    const float* begin = ahead_.rows.row(row_) + ahead_.column;
    line_ = begin - reinterpret_cast<uintptr_t>(begin) / sizeof(float) % kLine;
    end_ = begin + ahead_.floats;
  }

  const Ahead& ahead_;
  int64_t row_;
  int64_t per_step_;
  const float* line_ = nullptr;
  const float* end_ = nullptr;
};

/// Fetches what will be written, or read next, while registers are multiplied: a little after every few products, since
/// a fetch that finds no free place in the queue of the memory keeps the registers waiting. 8 lines after four products
/// are as good as two after each; 48 lines after 24 cost a fifth of the speed with 64 rows and a quarter with 40.
class ProductFetch {
 public:
  /// In `steps` calls, as evenly as possible.
  ProductFetch(const TileProduct& product, int64_t steps)
      : product_(product),
        panel_(product.panel_ahead, steps),
        rows_(product.rows_ahead, steps),
        rows_per_step_((product.height + steps - 1) / steps) {}

  void operator()() {
    for (const int64_t end = std::min(row_ + rows_per_step_, product_.height); row_ < end; ++row_) {
      const float* c = product_.c[row_];
      __builtin_prefetch(c, 1);
      __builtin_prefetch(c + product_.width / 2, 1);
      __builtin_prefetch(c + product_.width - 1, 1);
    }
    panel_.fetch();
    rows_.fetch();
  }

 private:
  const TileProduct& product_;
  AheadLines panel_;
  AheadLines rows_;
  int64_t rows_per_step_;
  int64_t row_ = 0;
};

}  // namespace wende::cpu

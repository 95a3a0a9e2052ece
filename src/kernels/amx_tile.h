#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/bfloat16_terms.h"
#include "kernels/product_tiles.h"

// What the kinds of tiles by AMX have in common. For the files that are compiled for AMX.

namespace wende::cpu {

/// The layout of the registers: how many rows each has, of 64 bytes.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};

  void load() const {
    // g++ 12 believes that the next line reads no more than 8 bytes.
    asm volatile("" : : "r"(this) : "memory");
    _tile_loadconfig(this);
  }
};

/// Writes rows of C from their sums. (With fields of its own, which no row that is written can lie over.)
class RowWriter {
 public:
  explicit RowWriter(const TileProduct& product)
      : c_(product.c),
        bias_(product.bias),
        add_(product.add),
        left_(mask_of(product.width)),
        right_(mask_of(product.width - 16)) {}

  /// left, right: 16 sums each.
  void operator()(int64_t row, const float* left, const float* right) const {
    float* c = c_[row];
    __m512 low = _mm512_load_ps(left);
    __m512 high = _mm512_load_ps(right);
    if (const float* start = add_ ? c : bias_) {
      low = _mm512_add_ps(low, _mm512_maskz_loadu_ps(left_, start));
      high = _mm512_add_ps(high, _mm512_maskz_loadu_ps(right_, start + 16));
    }
    _mm512_mask_storeu_ps(c, left_, low);
    _mm512_mask_storeu_ps(c + 16, right_, high);
  }

 private:
  float* const* c_;
  const float* bias_;
  bool add_;
  __mmask16 left_;
  __mmask16 right_;
};

}  // namespace wende::cpu

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/row_product.h"

namespace wende::cpu {

namespace {

// A tile of kTileRows x kTileColumns sums stays in registers: 28 of the 32 of AVX-512, 12 of the 16 of AVX.
#if defined(__AVX512F__)
constexpr int64_t kVector = 16;
constexpr int64_t kTileRows = 14;
#elif defined(__AVX__)
constexpr int64_t kVector = 8;
constexpr int64_t kTileRows = 6;
#else
constexpr int64_t kVector = 4;
constexpr int64_t kTileRows = 6;
#endif
constexpr int64_t kTileColumns = 2 * kVector;
// A block of kRowBlock x kDepth of A (1.3 MB) stays in the L2 cache while the panels of B pass by. A third of it is 5
// to 10 % slower where B is larger than the cache: then B is read three times as often.
constexpr int64_t kRowBlock = 48 * kTileRows;
constexpr int64_t kDepth = kSummedRows;

typedef float Vector __attribute__((vector_size(kVector * sizeof(float))));

/// From and to memory of any alignment.
inline Vector load(const float* from) {
  Vector value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}
inline void store(const Vector& value, float* to) { std::memcpy(to, &value, sizeof(value)); }

int64_t tiles_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

/// Rows in tiles of nearly equal height, so that 40 rows are 14 + 13 + 13 and not 14 + 14 + 12.
struct RowTiles {
  int64_t rows;
  int64_t count;
  explicit RowTiles(int64_t rows_to_tile) : rows(rows_to_tile), count(tiles_of(rows_to_tile, kTileRows)) {}
  int64_t begin(int64_t tile) const { return tile * (rows / count) + std::min(tile, rows % count); }
  int64_t height(int64_t tile) const { return rows / count + (tile < rows % count ? 1 : 0); }
};

/// One tile of C: sum over `depth` of a [depth,kRows] times b [depth,kTileColumns].
template <int kRows>
void multiply_tile(int64_t depth, const float* a, const float* b, float* const* c, int64_t width, const float* bias,
                   bool add) {
  Vector sum[kRows][2] = {};
  // Rows of C start anywhere: 128 bytes lie in up to three lines. Without the middle one the whole product is 12 %
  // slower.
  for (int i = 0; i < kRows; ++i) {
    __builtin_prefetch(c[i], 1);
    __builtin_prefetch(c[i] + width / 2, 1);
    __builtin_prefetch(c[i] + width - 1, 1);
  }
#pragma GCC unroll 2
  for (int64_t p = 0; p < depth; ++p) {
    const Vector b0 = load(b);
    const Vector b1 = load(b + kVector);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      sum[i][0] += a[i] * b0;
      sum[i][1] += a[i] * b1;
    }
    a += kRows;
    b += kTileColumns;
  }
  for (int i = 0; i < kRows; ++i) {
    const float* start = add ? c[i] : bias;
    if (width == kTileColumns) {
      store(start ? load(start) + sum[i][0] : sum[i][0], c[i]);
      store(start ? load(start + kVector) + sum[i][1] : sum[i][1], c[i] + kVector);
    } else {
      alignas(64) float edge[kTileColumns];
      store(sum[i][0], edge);
      store(sum[i][1], edge + kVector);
      for (int64_t j = 0; j < width; ++j) c[i][j] = start ? start[j] + edge[j] : edge[j];
    }
  }
}

using Tile = void (*)(int64_t, const float*, const float*, float* const*, int64_t, const float*, bool);

template <int... kHeights>
Tile tile_of_height(int64_t height, std::integer_sequence<int, kHeights...>) {
  static constexpr Tile kTiles[] = {multiply_tile<kHeights + 1>...};
  return kTiles[height - 1];
}

void run_tile(int64_t height, int64_t depth, const float* a, const float* b, float* const* c, int64_t width,
              const float* bias, bool add) {
  tile_of_height(height, std::make_integer_sequence<int, kTileRows>())(depth, a, b, c, width, bias, add);
}

/// to [depth,height] = columns [column, column + depth) of `height` rows, transposed.
void arrange_rows(const RowView& a, int64_t first, int64_t height, int64_t column, int64_t depth, float* to) {
  const float* rows[kTileRows];
  for (int64_t r = 0; r < height; ++r) rows[r] = a.row(first + r) + column;
  if (height == kTileRows) {
    for (int64_t p = 0; p < depth; ++p, to += kTileRows) {
      for (int64_t r = 0; r < kTileRows; ++r) to[r] = rows[r][p];
    }
    return;
  }
  for (int64_t p = 0; p < depth; ++p) {
    for (int64_t r = 0; r < height; ++r) to[p * height + r] = rows[r][p];
  }
}

/// to [depth,kTileColumns]: `width` columns of `depth` rows, then zeros.
void arrange_columns(const RowView& b, int64_t first, int64_t depth, int64_t column, int64_t width, float* to) {
  if (width == kTileColumns) {
    for (int64_t p = 0; p < depth; ++p) {
      std::memcpy(to + p * kTileColumns, b.row(first + p) + column, kTileColumns * sizeof(float));
    }
    return;
  }
  for (int64_t p = 0; p < depth; ++p) {
    const float* from = b.row(first + p) + column;
    for (int64_t j = 0; j < kTileColumns; ++j) to[p * kTileColumns + j] = j < width ? from[j] : 0.0f;
  }
}

/// The same for columns that lie in memory as rows.
void arrange_transposed(const float* b, int64_t k, int64_t column, int64_t width, float* to) {
  constexpr int64_t kStrip = 16;  // one cache line of each row of b at a time
  std::memset(to, 0, static_cast<size_t>(width == kTileColumns ? 0 : k * kTileColumns) * sizeof(float));
  for (int64_t begin = 0; begin < k; begin += kStrip) {
    const int64_t end = std::min(begin + kStrip, k);
    for (int64_t j = 0; j < width; ++j) {
      const float* from = b + (column + j) * k;
      for (int64_t p = begin; p < end; ++p) to[p * kTileColumns + j] = from[p];
    }
  }
}

/// Sums over the rows of a panel; partial sums of 64 rows keep the rounding error small.
void add_columns(int64_t depth, const float* panel, int64_t width, bool first, float* sum) {
  constexpr int64_t kRows = 64;
  float total[kTileColumns] = {};
  for (int64_t begin = 0; begin < depth; begin += kRows) {
    float partial[kTileColumns] = {};
    for (int64_t p = begin; p < std::min(begin + kRows, depth); ++p) {
      for (int64_t j = 0; j < kTileColumns; ++j) partial[j] += panel[p * kTileColumns + j];
    }
    for (int64_t j = 0; j < kTileColumns; ++j) total[j] += partial[j];
  }
  for (int64_t j = 0; j < width; ++j) sum[j] = first ? total[j] : sum[j] + total[j];
}

}  // namespace

PackedMatrix::PackedMatrix(const float* b, int64_t k, int64_t n, bool transposed, int64_t most_rows,
                           const Scratch& scratch)
    : k_(k), n_(n) {
  panels_ = scratch(Shape{tiles_of(n, kTileColumns) * kTileColumns * k});
  rows_of_a_ = scratch(Shape{std::min(most_rows, kRowBlock) * std::min(k, kDepth)});
  const RowView rows{const_cast<float*>(b), n};
  float* to = panels_.data<float>();
  for (int64_t column = 0; column < n; column += kTileColumns) {
    const int64_t width = std::min(kTileColumns, n - column);
    if (transposed) {
      arrange_transposed(b, k, column, width, to + column * k);
    } else {
      arrange_columns(rows, 0, k, column, width, to + column * k);
    }
  }
}

void PackedMatrix::multiply(int64_t m, const RowView& a, const RowView& c, const float* bias, bool add) const {
  const float* panels = panels_.data<float>();
  float* arranged = rows_of_a_.data<float>();
  for (int64_t row = 0; row < m; row += kRowBlock) {
    const RowTiles tiles(std::min(kRowBlock, m - row));
    // k = 0 still has to write the bias.
    for (int64_t begin = 0; begin == 0 || begin < k_; begin += kDepth) {
      const int64_t depth = std::min(kDepth, k_ - begin);
      for (int64_t tile = 0; tile < tiles.count; ++tile) {
        arrange_rows(a, row + tiles.begin(tile), tiles.height(tile), begin, depth,
                     arranged + tiles.begin(tile) * depth);
      }
      for (int64_t column = 0; column < n_; column += kTileColumns) {
        const int64_t width = std::min(kTileColumns, n_ - column);
        for (int64_t tile = 0; tile < tiles.count; ++tile) {
          float* to[kTileRows];
          for (int64_t r = 0; r < tiles.height(tile); ++r) to[r] = c.row(row + tiles.begin(tile) + r) + column;
          run_tile(tiles.height(tile), depth, arranged + tiles.begin(tile) * depth,
                   panels + column * k_ + begin * kTileColumns, to, width, bias ? bias + column : nullptr,
                   add || begin > 0);
        }
      }
    }
  }
}

namespace {

/// What transposed_product does for columns [first, first + m) of a.
struct ColumnBlock {
  int64_t first;
  RowTiles tiles;
  float* out;  ///< its first row
  float* arranged;
  float* panel;
};

void arrange_block(const ColumnBlock& block, const RowView& a, int64_t begin, int64_t depth) {
  for (int64_t tile = 0; tile < block.tiles.count; ++tile) {
    const int64_t height = block.tiles.height(tile);
    const int64_t column = block.first + block.tiles.begin(tile);
    float* to = block.arranged + block.tiles.begin(tile) * depth;
    for (int64_t p = 0; p < depth; ++p) {
      std::memcpy(to + p * height, a.row(begin + p) + column, static_cast<size_t>(height) * sizeof(float));
    }
  }
}

void multiply_block(const ColumnBlock& block, const RowView& b, int64_t n, int64_t begin, int64_t depth, bool add,
                    float* column_sum) {
  for (int64_t column = 0; column < n; column += kTileColumns) {
    const int64_t width = std::min(kTileColumns, n - column);
    arrange_columns(b, begin, depth, column, width, block.panel);
    if (column_sum) add_columns(depth, block.panel, width, !add, column_sum + column);
    for (int64_t tile = 0; tile < block.tiles.count; ++tile) {
      float* to[kTileRows];
      for (int64_t r = 0; r < block.tiles.height(tile); ++r)
        to[r] = block.out + (block.tiles.begin(tile) + r) * n + column;
      run_tile(block.tiles.height(tile), depth, block.arranged + block.tiles.begin(tile) * depth, block.panel, to,
               width, nullptr, add);
    }
  }
}

}  // namespace

void transposed_product(int64_t rows, const RowView& a, int64_t m, const RowView& b, int64_t n, bool add, float* out,
                        float* column_sum, const Scratch& scratch) {
  constexpr int64_t kColumnBlock = 36 * kTileRows;  // with kDepth rows 1 MB: half of the L2 cache
  const int64_t most = std::min(kDepth, rows);
  const Tensor memory_a = scratch(Shape{std::max<int64_t>(std::min(kColumnBlock, m) * most, 1)});
  const Tensor memory_b = scratch(Shape{std::max<int64_t>(kTileColumns * most, 1)});
  for (int64_t first = 0; first < m; first += kColumnBlock) {
    const ColumnBlock block{first, RowTiles(std::min(kColumnBlock, m - first)), out + first * n, memory_a.data<float>(),
                            memory_b.data<float>()};
    // Without rows the result is still to be written: zeros.
    for (int64_t begin = 0; begin == 0 || begin < rows; begin += kDepth) {
      const int64_t depth = std::min(kDepth, rows - begin);
      arrange_block(block, a, begin, depth);
      multiply_block(block, b, n, begin, depth, add || begin > 0, first == 0 ? column_sum : nullptr);
    }
  }
}

}  // namespace wende::cpu

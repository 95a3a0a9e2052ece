#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/column_panels.h"
#include "kernels/float_vector.h"
#include "kernels/product_tiles.h"

namespace wende::cpu {

namespace {

// A tile of kTileRows x kTileColumns sums stays in registers: 28 of the 32 of AVX-512, 12 of the 16 of AVX.
#if defined(__AVX512F__)
constexpr int64_t kTileRows = 14;
#else
constexpr int64_t kTileRows = 6;
#endif
constexpr int64_t kTileColumns = 2 * kVector;

/// One tile of C: sum over `depth` of a [depth,kRows] times b [depth,kTileColumns].
template <int kRows>
void multiply_tile(const TileProduct& product) {
  const auto [height, depth, start_a, start_b, c, width, bias, add, panel_ahead, rows_ahead] = product;
  const float* a = start_a;
  const float* b = start_b;
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

using Tile = void (*)(const TileProduct&);

template <int... kHeights>
Tile tile_of_height(int64_t height, std::integer_sequence<int, kHeights...>) {
  static constexpr Tile kTiles[] = {multiply_tile<kHeights + 1>...};
  return kTiles[height - 1];
}

void multiply(const TileProduct& product) {
  tile_of_height(product.height, std::make_integer_sequence<int, kTileRows>())(product);
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

/// The same of columns [column, column + height) of `depth` rows.
void arrange_rows_transposed(const RowView& a, int64_t first, int64_t depth, int64_t column, int64_t height,
                             float* to) {
  for (int64_t p = 0; p < depth; ++p) {
    std::memcpy(to + p * height, a.row(first + p) + column, static_cast<size_t>(height) * sizeof(float));
  }
}

int64_t tile_floats(int64_t depth) { return kTileRows * depth; }
int64_t panel_floats(int64_t depth) { return kTileColumns * depth; }

}  // namespace

const ProductTiles& vector_tiles() {
  static constexpr ProductTiles kTiles = {
      .rows = kTileRows,
      .columns = kTileColumns,
      // 1 MB with a depth of 512. Less is 5 to 10 % slower where B is larger than the L2 cache: B is read more often.
      .row_block = 36 * kTileRows,
      .tile_floats = tile_floats,
      .panel_floats = panel_floats,
      .arrange_rows = arrange_rows,
      .arrange_rows_transposed = arrange_rows_transposed,
      .arrange_columns = arrange_columns<kTileColumns>,
      .arrange_columns_transposed = arrange_columns_transposed<kTileColumns>,
      .multiply = multiply,
      .finish = [] {},
  };
  return kTiles;
}

const ProductTiles& product_tiles(int64_t k, int64_t n) {
  // Below that, half of what the registers of AMX multiply is padding.
  constexpr int64_t kLeast = 32;
  const ProductTiles* amx = k >= kLeast && n >= kLeast ? amx_tiles(product_precision()) : nullptr;
  return amx ? *amx : vector_tiles();
}

const ProductTiles& step_product_tiles(int64_t k, int64_t n, double rows) {
  // More rows meet a panel in several blocks, and its terms are made for each of them.
  constexpr double kMost = 48;
  const ProductTiles& tiles = product_tiles(k, n);
  const bool steps = rows <= kMost && &tiles == amx_tiles(ProductPrecision::kFloat32);
  return steps ? *amx_step_tiles() : tiles;
}

}  // namespace wende::cpu

#include <algorithm>

#include "kernels/row_product.h"

namespace wende::cpu {

namespace {

constexpr int64_t kDepth = kSummedRows;

int64_t tiles_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

/// Rows in tiles of nearly equal height, so that 40 rows in tiles of at most 14 are 14 + 13 + 13 and not 14 + 14 + 12.
struct RowTiles {
  int64_t rows;
  int64_t count;
  RowTiles(int64_t rows_to_tile, int64_t most) : rows(rows_to_tile), count(tiles_of(rows_to_tile, most)) {}
  int64_t begin(int64_t tile) const { return tile * (rows / count) + std::min(tile, rows % count); }
  int64_t height(int64_t tile) const { return rows / count + (tile < rows % count ? 1 : 0); }
};

/// The most rows of C in a tile, of any ProductTiles.
constexpr int64_t kMostRows = 48;

/// Rows in blocks of nearly equal size, each a multiple of a tile's.
int64_t block_of(int64_t rows, const ProductTiles& tiles) {
  const int64_t blocks = std::max<int64_t>(tiles_of(rows, tiles.row_block), 1);
  return tiles_of(tiles_of(rows, blocks), tiles.rows) * tiles.rows;
}

/// Part `index` of `count` parts of the rows.
Ahead share(const Ahead& whole, int64_t index, int64_t count) {
  const int64_t rows = whole.last - whole.first;
  Ahead part = whole;
  part.first = whole.first + rows * index / count;
  part.last = whole.first + rows * (index + 1) / count;
  return part;
}

/// A block of rows of A, arranged, times one panel of B.
struct BlockProduct {
  const ProductTiles& tiles;
  const RowTiles& rows;
  const float* arranged;
  int64_t depth;
  int64_t panels;    ///< that this block meets
  Ahead rows_ahead;  ///< of A: the next block, of which each panel fetches a part

  /// panel_ahead: what the next panel is, or will be made of.
  void operator()(const float* panel, const Ahead& panel_ahead, const RowView& c, int64_t row, int64_t column,
                  int64_t width, const float* bias, bool add) const {
    float* to[kMostRows];
    const int64_t first = column / tiles.columns * rows.count;
    for (int64_t tile = 0; tile < rows.count; ++tile) {
      for (int64_t r = 0; r < rows.height(tile); ++r) to[r] = c.row(row + rows.begin(tile) + r) + column;
      tiles.multiply({rows.height(tile), depth, arranged + tile * tiles.tile_floats(depth), panel, to, width, bias, add,
                      share(panel_ahead, tile, rows.count), share(rows_ahead, first + tile, panels * rows.count)});
    }
  }
};

/// Sums of `width` columns over `depth` rows; partial sums of 64 rows keep the rounding error small.
void add_columns(const RowView& b, int64_t first_row, int64_t depth, int64_t column, int64_t width, bool first,
                 float* sum) {
  constexpr int64_t kRows = 64;
  constexpr int64_t kMostColumns = 32;
  float total[kMostColumns] = {};
  for (int64_t begin = 0; begin < depth; begin += kRows) {
    float partial[kMostColumns] = {};
    for (int64_t p = begin; p < std::min(begin + kRows, depth); ++p) {
      const float* row = b.row(first_row + p) + column;
      for (int64_t j = 0; j < width; ++j) partial[j] += row[j];
    }
    for (int64_t j = 0; j < width; ++j) total[j] += partial[j];
  }
  for (int64_t j = 0; j < width; ++j) sum[j] = first ? total[j] : sum[j] + total[j];
}

}  // namespace

PackedMatrix::PackedMatrix(const float* b, int64_t k, int64_t n, bool transposed, int64_t most_rows,
                           const Scratch& scratch, const ProductTiles& tiles)
    : tiles_(tiles), k_(k), n_(n) {
  panels_ = scratch(Shape{tiles_of(n, tiles.columns) * tiles.panel_floats(k)});
  const auto floats_of_a = [&](const ProductTiles& used) {
    return tiles_of(std::min(most_rows, used.row_block), used.rows) * used.tile_floats(std::min(k, kDepth));
  };
  rows_of_a_ = scratch(Shape{std::max(floats_of_a(tiles), tiles.few_rows ? floats_of_a(*tiles.few_rows) : 0)});
  const RowView rows{const_cast<float*>(b), transposed ? k : n};
  const auto arrange = transposed ? tiles.arrange_columns_transposed : tiles.arrange_columns;
  float* to = panels_.data<float>();
  for (int64_t column = 0; column < n; column += tiles.columns, to += tiles.panel_floats(k)) {
    arrange(rows, 0, k, column, std::min(tiles.columns, n - column), to);
  }
}

const float* PackedMatrix::panel(int64_t column, int64_t begin) const {
  return panels_.data<float>() + column / tiles_.columns * tiles_.panel_floats(k_) + tiles_.panel_floats(begin);
}

Ahead PackedMatrix::panel_rows(int64_t column, int64_t begin) const {
  constexpr int64_t kRow = 512;
  const int64_t floats = tiles_.panel_floats(std::min(kDepth, k_ - begin));
  return {{const_cast<float*>(panel(column, begin)), kRow}, 0, floats / kRow, 0, kRow};
}

void PackedMatrix::multiply(int64_t m, const RowView& a, const RowView& c, const float* bias, bool add) const {
  const ProductTiles& tiles = m < tiles_.least_rows && tiles_.few_rows ? *tiles_.few_rows : tiles_;
  float* arranged = rows_of_a_.data<float>();
  const int64_t block = block_of(m, tiles);
  for (int64_t row = 0; row < m; row += block) {
    const RowTiles row_tiles(std::min(block, m - row), tiles.rows);
    // k = 0 still has to write the bias.
    for (int64_t begin = 0; begin == 0 || begin < k_; begin += kDepth) {
      const int64_t depth = std::min(kDepth, k_ - begin);
      for (int64_t tile = 0; tile < row_tiles.count; ++tile) {
        tiles.arrange_rows(a, row + row_tiles.begin(tile), row_tiles.height(tile), begin, depth,
                           arranged + tile * tiles.tile_floats(depth));
      }
      const int64_t next_begin = begin + kDepth < k_ ? begin + kDepth : 0;
      const int64_t next_row = next_begin > 0 ? row : row + block;
      const BlockProduct product{tiles,
                                 row_tiles,
                                 arranged,
                                 depth,
                                 tiles_of(n_, tiles.columns),
                                 Ahead{a, std::min(next_row, m), std::min(next_row + block, m), next_begin,
                                       std::min(kDepth, k_ - next_begin)}};
      for (int64_t column = 0; column < n_; column += tiles.columns) {
        const int64_t next = column + tiles.columns;
        // After the last panel the first of the next block follows, or of the next call.
        const Ahead panel_ahead = next < n_ ? panel_rows(next, begin) : panel_rows(0, next_begin);
        product(panel(column, begin), panel_ahead, c, row, column, std::min(tiles.columns, n_ - column),
                bias ? bias + column : nullptr, add || begin > 0);
      }
    }
  }
  tiles.finish();
}

void transposed_product(int64_t rows, const RowView& a, int64_t m, const RowView& b, int64_t n, bool add, float* out,
                        float* column_sum, const Scratch& scratch, const ProductTiles& tiles) {
  const int64_t most = std::min(kDepth, rows);
  const Tensor memory_a =
      scratch(Shape{std::max<int64_t>(tiles_of(block_of(m, tiles), tiles.rows) * tiles.tile_floats(most), 1)});
  const Tensor memory_b = scratch(Shape{std::max<int64_t>(tiles.panel_floats(most), 1)});
  float* arranged = memory_a.data<float>();
  float* panel = memory_b.data<float>();
  const int64_t block = block_of(m, tiles);
  for (int64_t first = 0; first < m; first += block) {
    const RowTiles row_tiles(std::min(block, m - first), tiles.rows);
    // Without rows the result is still to be written: zeros.
    for (int64_t begin = 0; begin == 0 || begin < rows; begin += kDepth) {
      const int64_t depth = std::min(kDepth, rows - begin);
      for (int64_t tile = 0; tile < row_tiles.count; ++tile) {
        tiles.arrange_rows_transposed(a, begin, depth, first + row_tiles.begin(tile), row_tiles.height(tile),
                                      arranged + tile * tiles.tile_floats(depth));
      }
      const int64_t next_begin = begin + kDepth < rows ? begin + kDepth : 0;
      const int64_t next_end = std::min(next_begin + kDepth, rows);
      const int64_t next_first = next_begin > 0 ? first : first + block;
      const int64_t next_rows = std::min(block, m - next_first);
      const BlockProduct product{tiles,
                                 row_tiles,
                                 arranged,
                                 depth,
                                 tiles_of(n, tiles.columns),
                                 Ahead{a, next_begin, next_rows > 0 ? next_end : next_begin, next_first, next_rows}};
      for (int64_t column = 0; column < n; column += tiles.columns) {
        const int64_t width = std::min(tiles.columns, n - column);
        tiles.arrange_columns(b, begin, depth, column, width, panel);
        if (column_sum && first == 0) {
          add_columns(b, begin, depth, column, width, !add && begin == 0, column_sum + column);
        }
        const int64_t next = column + tiles.columns;
        const Ahead panel_ahead = next < n ? Ahead{b, begin, begin + depth, next, std::min(tiles.columns, n - next)}
                                           : Ahead{b, next_begin, next_end, 0, std::min(tiles.columns, n)};
        product(panel, panel_ahead, {out, n}, first, column, width, nullptr, add || begin > 0);
      }
    }
  }
  tiles.finish();
}

}  // namespace wende::cpu

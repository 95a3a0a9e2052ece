#pragma once

#include <cstdint>

#include "device/product_precision.h"
#include "kernels/row_view.h"

namespace wende::cpu {

/// Rows [first, last) of a matrix, `floats` columns from `column` on, that will be read soon and may be fetched into
/// the cache meanwhile.
struct Ahead {
  RowView rows = {};
  int64_t first = 0;
  int64_t last = 0;
  int64_t column = 0;
  int64_t floats = 0;
};

/// c [height,width] = A B + bias, or += A B, for one row tile of A and one panel of B.
struct TileProduct {
  int64_t height;
  int64_t depth;
  const float* a;
  const float* b;
  float* const* c;  ///< where each row starts
  int64_t width;
  const float* bias;  ///< may be null
  bool add;
  Ahead panel_ahead;  ///< of B, as it is arranged or will be
  Ahead rows_ahead;   ///< of A, before they are arranged
};

/// One way to compute C [m,n] = A [m,k] B [k,n] on a processor: in tiles of C, from A and B in an arrangement of its
/// own. Arranged A is a sequence of row tiles, arranged B of column panels; `depth` is the part of k that one tile
/// sums.
struct ProductTiles {
  int64_t rows;       ///< of C in a tile, at most
  int64_t columns;    ///< of C in a tile; a panel of B has as many
  int64_t row_block;  ///< rows of A whose arrangement stays in the L2 cache while the panels of B pass by

  /// float32 that one row tile, or one panel, takes.
  int64_t (*tile_floats)(int64_t depth);
  int64_t (*panel_floats)(int64_t depth);

  /// Rows [first, first + height) of A, of these columns [column, column + depth).
  void (*arrange_rows)(const RowView& a, int64_t first, int64_t height, int64_t column, int64_t depth, float* to);
  /// The same of the transpose of A: columns [column, column + height) of rows [first, first + depth).
  void (*arrange_rows_transposed)(const RowView& a, int64_t first, int64_t depth, int64_t column, int64_t height,
                                  float* to);
  /// Rows [first, first + depth) of B, of these columns [column, column + width).
  void (*arrange_columns)(const RowView& b, int64_t first, int64_t depth, int64_t column, int64_t width, float* to);
  /// The same of the transpose of B: columns [first, first + depth) of rows [column, column + width).
  void (*arrange_columns_transposed)(const RowView& b, int64_t first, int64_t depth, int64_t column, int64_t width,
                                     float* to);
  void (*multiply)(const TileProduct& product);
  /// After the last multiply of a product.
  void (*finish)();

  /// For products with fewer rows than that: others, of the same panels, that are quicker then. May be null.
  int64_t least_rows = 0;
  const ProductTiles* few_rows = nullptr;
};

/// Tiles in vector registers, by the instructions that the program was compiled for.
const ProductTiles& vector_tiles();
/// Tiles by AMX, from sums of bfloat16: three of them for float32, two for TF32, one for bfloat16. Null where the
/// processor, the system or the compiler does not have it.
const ProductTiles* amx_tiles(ProductPrecision precision = ProductPrecision::kFloat32);

/// The same for the steps of a recurrence: for products with B alone, in float32, with few rows.
const ProductTiles* amx_step_tiles();

/// What is quickest for a B of [k,n] that meets many rows, with product_precision().
const ProductTiles& product_tiles(int64_t k, int64_t n);
/// The same for a B that meets so few rows at a time, on average, as a recurrence has them.
const ProductTiles& step_product_tiles(int64_t k, int64_t n, double rows);

}  // namespace wende::cpu

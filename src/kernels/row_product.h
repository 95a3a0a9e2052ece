#pragma once

#include <cstdint>

#include "kernels/product_tiles.h"
#include "kernels/scratch.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// A matrix B [k,n] arranged for many products A B: the weights of a layer for a step, of a recurrence for all frames.
class PackedMatrix {
 public:
  /// transposed: b is stored as [n,k]. most_rows: of A in any product.
  PackedMatrix(const float* b, int64_t k, int64_t n, bool transposed, int64_t most_rows, const Scratch& scratch)
      : PackedMatrix(b, k, n, transposed, most_rows, scratch, product_tiles(k, n)) {}
  PackedMatrix(const float* b, int64_t k, int64_t n, bool transposed, int64_t most_rows, const Scratch& scratch,
               const ProductTiles& tiles);
  /// C [m,n] = A [m,k] B + bias [n] (may be null), or C += A B.
  void multiply(int64_t m, const RowView& a, const RowView& c, const float* bias = nullptr, bool add = false) const;

 private:
  /// Of the columns from `column` on, the rows from `begin` on.
  const float* panel(int64_t column, int64_t begin) const;
  /// The same, up to kSummedRows rows, as memory to be fetched.
  Ahead panel_rows(int64_t column, int64_t begin) const;

  const ProductTiles& tiles_;
  int64_t k_;
  int64_t n_;
  Tensor panels_;     ///< of B, one after another
  Tensor rows_of_a_;  ///< one block of A, arranged
};

/// transposed_product sums so many rows at a time: calls with that many, one after another, give the same bits as one.
constexpr int64_t kSummedRows = 512;

/// out [m,n] = (or, with add, +=) sum over `rows` of a[row]^T b[row], a [rows,m], b [rows,n].
/// column_sum: sum over the rows of b, if not null.
void transposed_product(int64_t rows, const RowView& a, int64_t m, const RowView& b, int64_t n, bool add, float* out,
                        float* column_sum, const Scratch& scratch, const ProductTiles& tiles);
inline void transposed_product(int64_t rows, const RowView& a, int64_t m, const RowView& b, int64_t n, bool add,
                               float* out, float* column_sum, const Scratch& scratch) {
  transposed_product(rows, a, m, b, n, add, out, column_sum, scratch, product_tiles(m, n));
}

}  // namespace wende::cpu

#pragma once

#include <cstdint>

#include "kernels/scratch.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// Rows of a matrix in memory: row i starts at data + (list ? list[i] : i) * stride. With a list, products read and
/// write rows where they are, without gathering them first.
struct RowView {
  float* data;
  int64_t stride;
  const int64_t* list = nullptr;
  float* row(int64_t i) const { return data + (list ? list[i] : i) * stride; }
};

/// A matrix B [k,n] arranged for many products A B: the weights of a layer for a step, of a recurrence for all frames.
class PackedMatrix {
 public:
  /// transposed: b is stored as [n,k]. most_rows: of A in any product.
  PackedMatrix(const float* b, int64_t k, int64_t n, bool transposed, int64_t most_rows, const Scratch& scratch);
  /// C [m,n] = A [m,k] B + bias [n] (may be null), or C += A B.
  void multiply(int64_t m, const RowView& a, const RowView& c, const float* bias = nullptr, bool add = false) const;

 private:
  int64_t k_;
  int64_t n_;
  Tensor panels_;     ///< of B: [columns / kTileColumns, k, kTileColumns]
  Tensor rows_of_a_;  ///< one block of A, arranged the same way
};

/// transposed_product sums so many rows at a time: calls with that many, one after another, give the same bits as one.
constexpr int64_t kSummedRows = 512;

/// out [m,n] = (or, with add, +=) sum over `rows` of a[row]^T b[row], a [rows,m], b [rows,n].
/// column_sum: sum over the rows of b, if not null.
void transposed_product(int64_t rows, const RowView& a, int64_t m, const RowView& b, int64_t n, bool add, float* out,
                        float* column_sum, const Scratch& scratch);

}  // namespace wende::cpu

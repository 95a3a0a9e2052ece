#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include "base/error.h"
#include "kernels/reduce.h"
#include "kernels/reduce_layout.h"
#include "kernels/softmax_row.h"
#include "kernels/vector_math.h"

namespace wende::cpu {
namespace {

struct SumOf {
  template <class T>
  static T start() {
    return T(0);
  }
  template <class T>
  static T combine(T a, T b) {
    return a + b;
  }
};
struct ProductOf {
  template <class T>
  static T start() {
    return T(1);
  }
  template <class T>
  static T combine(T a, T b) {
    return a * b;
  }
};
struct LargestOf {
  template <class T>
  static T start() {
    return std::is_floating_point_v<T> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  }
  template <class T>
  static T combine(T a, T b) {
    return (a >= b || a != a) ? a : b;
  }
};
struct SmallestOf {
  template <class T>
  static T start() {
    return std::is_floating_point_v<T> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  }
  template <class T>
  static T combine(T a, T b) {
    return (a <= b || a != a) ? a : b;
  }
};
struct AnyOf {
  template <class T>
  static T start() {
    return false;
  }
  template <class T>
  static T combine(T a, T b) {
    return a | b;
  }
};
struct AllOf {
  template <class T>
  static T start() {
    return true;
  }
  template <class T>
  static T combine(T a, T b) {
    return a & b;
  }
};

/// Sums of blocks are kept in double, so that the error does not grow with the length.
template <class F, class T>
using Total = std::conditional_t<std::is_same_v<F, SumOf> && std::is_same_v<T, float>, double, T>;

constexpr int64_t kLanes = 32;
constexpr int64_t kBlock = 512;

/// One contiguous line in kLanes independent chains.
template <class F, class T>
T reduce_block(const T* x, int64_t n) {
  T lanes[kLanes];
  std::fill_n(lanes, kLanes, F::template start<T>());
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] = F::combine(lanes[k], x[i + k]);
  }
  for (int64_t k = 0; i + k < n; ++k) lanes[k] = F::combine(lanes[k], x[i + k]);
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t k = 0; k < width; ++k) lanes[k] = F::combine(lanes[k], lanes[k + width]);
  }
  return lanes[0];
}

template <class F, class T>
T reduce_line(const T* x, int64_t n) {
  if (n <= kBlock) return reduce_block<F>(x, n);
  using Sum = Total<F, T>;
  Sum total = F::template start<Sum>();
  for (int64_t i = 0; i < n; i += kBlock) {
    total = F::combine(total, static_cast<Sum>(reduce_block<F>(x + i, std::min(kBlock, n - i))));
  }
  return static_cast<T>(total);
}

/// Columns [count, inner] in tiles of columns and blocks of rows.
template <class F, class T>
void reduce_columns(const T* x, int64_t count, int64_t inner, T* out) {
  constexpr int64_t kColumns = 256;
  constexpr int64_t kRows = 64;
  using Sum = Total<F, T>;
  T block[kColumns];
  Sum total[kColumns];
  for (int64_t j = 0; j < inner; j += kColumns) {
    const int64_t width = std::min(kColumns, inner - j);
    std::fill_n(total, width, F::template start<Sum>());
    for (int64_t i0 = 0; i0 < count; i0 += kRows) {
      std::fill_n(block, width, F::template start<T>());
      const int64_t i1 = std::min(i0 + kRows, count);
      for (int64_t i = i0; i < i1; ++i) {
        const T* row = x + i * inner + j;
        for (int64_t k = 0; k < width; ++k) block[k] = F::combine(block[k], row[k]);
      }
      for (int64_t k = 0; k < width; ++k) total[k] = F::combine(total[k], static_cast<Sum>(block[k]));
    }
    for (int64_t k = 0; k < width; ++k) out[j + k] = static_cast<T>(total[k]);
  }
}

template <class F, class T>
void reduce_with(const ReduceLayout& layout, const Tensor& x, const Tensor& out) {
  const T* source = x.data<T>();
  T* target = out.data<T>();
  for (int64_t o = 0; o < layout.outer; ++o) {
    const T* slab = source + o * layout.count * layout.inner;
    if (layout.inner == 1) {
      target[o] = reduce_line<F>(slab, layout.count);
    } else {
      reduce_columns<F>(slab, layout.count, layout.inner, target + o * layout.inner);
    }
  }
}

template <class T>
void reduce_numbers(Reduction kind, const ReduceLayout& layout, const Tensor& x, const Tensor& out) {
  switch (kind) {
    case Reduction::kSum:
    case Reduction::kMean:
      reduce_with<SumOf, T>(layout, x, out);
      break;
    case Reduction::kMax:
      return reduce_with<LargestOf, T>(layout, x, out);
    case Reduction::kMin:
      return reduce_with<SmallestOf, T>(layout, x, out);
    case Reduction::kProd:
      return reduce_with<ProductOf, T>(layout, x, out);
    default:
      throw internal_error(fmt::format("reduction {} does not take {}", static_cast<int>(kind), name_of(x.dtype())));
  }
  if (kind == Reduction::kMean) {
    T* means = out.data<T>();
    for (int64_t i = 0; i < out.elements(); ++i) means[i] /= static_cast<T>(layout.count);
  }
}

/// Sum of exp(x - largest) over one contiguous line, in kLanes chains.
template <class T>
T exp_sum_line(const T* x, int64_t n, T largest) {
  T lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] += vm::exp(x[i + k] - largest);
  }
  for (int64_t k = 0; i + k < n; ++k) lanes[k] += vm::exp(x[i + k] - largest);
  return reduce_block<SumOf>(lanes, kLanes);
}

/// log(sum(exp(x))): the largest element first, then the sum of exp(x - largest).
template <class T>
void log_sum_exp(const ReduceLayout& layout, const Tensor& x, const Tensor& out) {
  reduce_with<LargestOf, T>(layout, x, out);
  const T* slab = x.data<T>();
  T* largest = out.data<T>();
  std::vector<T> sums(static_cast<size_t>(layout.inner));
  for (int64_t o = 0; o < layout.outer; ++o, slab += layout.count * layout.inner, largest += layout.inner) {
    if (layout.inner == 1) {
      sums[0] = exp_sum_line(slab, layout.count, largest[0]);
    } else {
      std::fill(sums.begin(), sums.end(), T(0));
      for (int64_t i = 0; i < layout.count; ++i) {
        const T* row = slab + i * layout.inner;
        T* sum = sums.data();
        for (int64_t k = 0; k < layout.inner; ++k) sum[k] += vm::exp(row[k] - largest[k]);
      }
    }
    for (int64_t k = 0; k < layout.inner; ++k) {
      // Infinities (all -inf, or one +inf) stay instead of becoming NaN.
      if (largest[k] - largest[k] == T(0)) largest[k] += vm::log(sums[static_cast<size_t>(k)]);
    }
  }
}

template <class T>
void arg_extremum_typed(bool largest, const T* x, const ReduceLayout& layout, int32_t* out) {
  for (int64_t o = 0; o < layout.outer; ++o) {
    for (int64_t k = 0; k < layout.inner; ++k) {
      const T* column = x + o * layout.count * layout.inner + k;
      int64_t best = 0;
      if constexpr (std::is_same_v<T, float>) {
        if (layout.inner == 1 && largest && layout.count > 0) {  // the value first: that loop has vectors
          const float* found = std::find(column, column + layout.count, row_max(column, layout.count));
          out[o] = found == column + layout.count ? 0 : static_cast<int32_t>(found - column);
          continue;
        }
      }
      T best_value = layout.count > 0 ? column[0] : T(0);
      for (int64_t i = 1; i < layout.count; ++i) {
        const T value = column[i * layout.inner];
        const bool better = largest ? value > best_value : value < best_value;
        best = better ? i : best;
        best_value = better ? value : best_value;
      }
      out[o * layout.inner + k] = static_cast<int32_t>(best);
    }
  }
}

}  // namespace

void reduce(Reduction kind, const Tensor& x_given, const std::vector<int>& axes, const Tensor& out) {
  Tensor x = x_given;
  const ReduceLayout layout = reduce_layout(x, axes);
  if (kind == Reduction::kAny) return reduce_with<AnyOf, bool>(layout, x, out);
  if (kind == Reduction::kAll) return reduce_with<AllOf, bool>(layout, x, out);
  const bool log_sum = kind == Reduction::kLogSumExp;
  switch (x.dtype()) {
    case DType::kFloat32:
      return log_sum ? log_sum_exp<float>(layout, x, out) : reduce_numbers<float>(kind, layout, x, out);
    case DType::kFloat64:
      return log_sum ? log_sum_exp<double>(layout, x, out) : reduce_numbers<double>(kind, layout, x, out);
    case DType::kInt32:
      return reduce_numbers<int32_t>(kind, layout, x, out);
    case DType::kInt64:
      return reduce_numbers<int64_t>(kind, layout, x, out);
    case DType::kBool:
    case DType::kComplex64:
      break;
  }
  throw internal_error("this reduction does not take bool or complex64");
}

void arg_extremum(bool largest, const Tensor& x, int axis, const Tensor& out) {
  const ReduceLayout layout = reduce_layout(x, axis);
  int32_t* indices = out.data<int32_t>();
  switch (x.dtype()) {
    case DType::kFloat32:
      return arg_extremum_typed(largest, x.data<float>(), layout, indices);
    case DType::kFloat64:
      return arg_extremum_typed(largest, x.data<double>(), layout, indices);
    case DType::kInt32:
      return arg_extremum_typed(largest, x.data<int32_t>(), layout, indices);
    case DType::kInt64:
      return arg_extremum_typed(largest, x.data<int64_t>(), layout, indices);
    case DType::kBool:
    case DType::kComplex64:
      throw internal_error("argmax does not take bool or complex64");
  }
}

}  // namespace wende::cpu

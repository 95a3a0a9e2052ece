#include <fmt/core.h>

#include <cstring>

#include "base/error.h"
#include "kernels/gather.h"

namespace wende::cpu {

namespace {

int64_t checked(const char* op, int32_t index, int64_t size) {
  if (index < 0 || index >= size) {
    throw Error(ExitStatus::kMalformedInput, fmt::format("[{}] index {} is outside of [0,{})", op, index, size));
  }
  return index;
}

}  // namespace

void gather(const Tensor& table, const Tensor& indices, const Tensor& out) {
  const int64_t rows = table.dim(0);
  const size_t bytes = rows == 0 ? 0 : table.bytes() / static_cast<size_t>(rows);
  const int32_t* index = indices.data<int32_t>();
  std::byte* to = out.raw();
  for (int64_t i = 0; i < indices.elements(); ++i, to += bytes) {
    std::memcpy(to, table.raw() + static_cast<size_t>(checked("gather", index[i], rows)) * bytes, bytes);
  }
}

void gather_grad(const Tensor& indices, const Tensor& dy, const Tensor& dtable) {
  const int64_t rows = dtable.dim(0);
  const int64_t inner = rows == 0 ? 0 : dtable.elements() / rows;
  const int32_t* index = indices.data<int32_t>();
  const float* from = dy.data<float>();
  float* to = dtable.data<float>();
  if (dtable.elements() > 0) std::memset(to, 0, dtable.bytes());
  for (int64_t i = 0; i < indices.elements(); ++i) {
    float* __restrict row = to + checked("gather", index[i], rows) * inner;
    const float* __restrict grad = from + i * inner;
    for (int64_t k = 0; k < inner; ++k) row[k] += grad[k];
  }
}

void one_hot(const Tensor& indices, const Tensor& out) {
  const int64_t depth = out.dim(-1);
  const int32_t* index = indices.data<int32_t>();
  float* to = out.data<float>();
  if (out.elements() > 0) std::memset(to, 0, out.bytes());
  for (int64_t i = 0; i < indices.elements(); ++i) {
    if (index[i] >= 0 && index[i] < depth) to[i * depth + index[i]] = 1.0f;
  }
}

void pick_last(const Tensor& x, const Tensor& indices, const Tensor& out) {
  const int64_t size = x.dim(-1);
  const int32_t* index = indices.data<int32_t>();
  for (int64_t i = 0; i < indices.elements(); ++i) {
    out.data<float>()[i] = x.data<float>()[i * size + checked("pick_last", index[i], size)];
  }
}

void pick_last_grad(const Tensor& indices, const Tensor& dy, const Tensor& dx) {
  const int64_t size = dx.dim(-1);
  const int32_t* index = indices.data<int32_t>();
  float* to = dx.data<float>();
  if (dx.elements() > 0) std::memset(to, 0, dx.bytes());
  for (int64_t i = 0; i < indices.elements(); ++i) {
    to[i * size + checked("pick_last", index[i], size)] = dy.data<float>()[i];
  }
}

}  // namespace wende::cpu

#include "device/cuda_check.cuh"
#include "kernels/log_sum_exp_cuda.cuh"
#include "kernels/softmax.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

Slices slices_of(const Tensor& x, int axis) {
  Slices slices;
  if (axis < 0) axis += x.rank();
  slices.size = x.dim(axis);
  slices.count = x.elements() / slices.size;
  for (int i = axis + 1; i < x.rank(); ++i) slices.inner *= x.dim(i);
  return slices;
}

/// The last chunk is still held when all are read: a slice of one chunk is read once.
template <class Team, int kWidth>
__global__ void WENDE_TEAM_BOUNDS(Team) softmax_kernel(Slices all, const float* x, bool log, float* out) {
  const Slice slice = Team::slice(all);
  HeldChunk<Team, kWidth> chunk;
  ExpSum own;
  const int64_t last = add_slice(slice, x, chunk, own);
  const ExpSum sum = own.of_team<Team>();
  const float shift = sum.log();
  const float scale = 1.0f / sum.sum;
  for (int64_t first = last; first >= 0; first -= chunk.kSize) {
    if (first != last) chunk.load(slice, first, x);
    if (log) {
      chunk.each([&](int k, int) { chunk[k] -= shift; });
    } else {
      chunk.each([&](int k, int) { chunk[k] = vm::exp(chunk[k] - sum.most) * scale; });
    }
    chunk.store(out);
  }
}

template <class Team, int kWidth>
__global__ void WENDE_TEAM_BOUNDS(Team)
    softmax_grad_kernel(Slices all, const float* y_all, const float* dy_all, bool log, float* dx) {
  const Slice slice = Team::slice(all);
  HeldChunk<Team, kWidth> y;
  HeldChunk<Team, kWidth> dy;
  const auto load = [&](int64_t first) {
    y.load(slice, first, y_all);
    dy.load(slice, first, dy_all);
  };
  float dot = 0.0f;
  int64_t first = 0;
  for (; first < slice.size; first += y.kSize) {
    load(first);
    y.each([&](int k, int) { dot += (log ? 1.0f : y[k]) * dy[k]; });
  }
  dot = Team::reduce(dot, 0.0f, Sum());
  const int64_t last = first - y.kSize;
  for (first = last; first >= 0; first -= y.kSize) {
    if (first != last) load(first);
    if (log) {
      y.each([&](int k, int) { dy[k] -= vm::exp(y[k]) * dot; });
    } else {
      y.each([&](int k, int) { dy[k] = y[k] * (dy[k] - dot); });
    }
    dy.store(dx);
  }
}

}  // namespace

void softmax(const Tensor& x, int axis, bool log, const Tensor& out) {
  if (x.elements() == 0) return;
  const Slices all = slices_of(x, axis);
  const float* from = device_data<float>(x);
  float* to = device_data<float>(out);
  const auto start = [&]<class Team, int kWidth>(TeamChoice<Team, kWidth> team) {
    launch(softmax_kernel<Team, kWidth>, team.grid(all), team.block(), 0, all, from, log, to);
  };
  with_team(all, start, from, to);
}

void softmax_grad(const Tensor& y, const Tensor& dy, int axis, bool log, const Tensor& dx) {
  if (y.elements() == 0) return;
  const Slices all = slices_of(y, axis);
  const float* from_y = device_data<float>(y);
  const float* from_dy = device_data<float>(dy);
  float* to = device_data<float>(dx);
  const auto start = [&]<class Team, int kWidth>(TeamChoice<Team, kWidth> team) {
    launch(softmax_grad_kernel<Team, kWidth>, team.grid(all), team.block(), 0, all, from_y, from_dy, log, to);
  };
  with_team(all, start, from_y, from_dy, to);
}

}  // namespace wende::cuda

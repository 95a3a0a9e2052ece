#include "device/cuda_check.cuh"
#include "device/kernel_fault.cuh"
#include "kernels/cross_entropy.h"
#include "kernels/log_sum_exp_cuda.cuh"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Rows that are not valid are not read.
template <class Team>
__device__ Slice valid_row(const Slices& rows, const bool* valid) {
  Slice row = Team::slice(rows);
  if (row.size > 0 && valid != nullptr && !valid[row.number]) row.size = 0;
  return row;
}

template <class Team, int kWidth>
__global__ void WENDE_TEAM_BOUNDS(Team) sparse_kernel(Slices rows, const float* logits, const int32_t* labels,
                                                      const bool* valid, float* loss, float* lse, KernelFault* fault) {
  const Slice row = valid_row<Team>(rows, valid);
  const bool answers = threadIdx.x == 0 && row.number < rows.count;
  float picked = 0.0f;
  if (answers && row.size > 0) {
    picked = logits[row.begin + checked_index(fault, FaultKind::kLabel, labels[row.number], rows.size)];
  }
  const float shift = log_sum_exp<Team, kWidth>(row, logits);
  if (!answers) return;
  lse[row.number] = row.size > 0 ? shift : 0.0f;
  loss[row.number] = row.size > 0 ? shift - picked : 0.0f;
}

/// dlogits may be logits.
template <class Team, int kWidth>
__global__ void WENDE_TEAM_BOUNDS(Team)
    sparse_grad_kernel(Slices rows, const float* logits, const float* lse, const int32_t* labels, const bool* valid,
                       const float* dloss, float* dlogits) {
  const Slice row = Team::slice(rows);
  if (row.size == 0) return;
  const float scale = valid != nullptr && !valid[row.number] ? 0.0f : dloss[row.number];
  const float shift = lse[row.number];
  const int64_t label = labels[row.number];
  HeldChunk<Team, kWidth> x;
  for (int64_t first = 0; first < row.size; first += x.kSize) {
    if (scale == 0.0f) {
      x.move(row, first);
      x.each([&](int k, int) { x[k] = 0.0f; });
    } else {
      x.load(row, first, logits);
      const int64_t right = label - first;
      x.each([&](int k, int place) { x[k] = vm::exp(x[k] - shift) * scale - (place == right ? scale : 0.0f); });
    }
    x.store(dlogits);
  }
}

template <class Team, int kWidth>
__global__ void WENDE_TEAM_BOUNDS(Team)
    dense_kernel(Slices rows, const float* logits, const float* targets, float* loss, float* lse) {
  const Slice row = Team::slice(rows);
  HeldChunk<Team, kWidth> target;
  HeldChunk<Team, kWidth> x;
  if (row.size <= target.kSize) target.load(row, 0, targets);  // beside the logits
  ExpSum own;
  const int64_t last = add_slice(row, logits, x, own);
  const float shift = own.of_team<Team>().log();
  float sum = 0.0f;
  for (int64_t first = last; first >= 0; first -= x.kSize) {
    if (first != last) x.load(row, first, logits);
    if (row.size > target.kSize) target.load(row, first, targets);
    x.each([&](int k, int) { sum += target[k] * (shift - x[k]); });
  }
  sum = Team::reduce(sum, 0.0f, Sum());
  if (threadIdx.x != 0 || row.size == 0) return;
  lse[row.number] = shift;
  loss[row.number] = sum;
}

template <class Team, int kWidth>
__global__ void WENDE_TEAM_BOUNDS(Team) dense_grad_kernel(Slices rows, const float* logits, const float* lse,
                                                          const float* targets, const float* dloss, float* dlogits) {
  const Slice row = Team::slice(rows);
  HeldChunk<Team, kWidth> target;
  HeldChunk<Team, kWidth> x;
  if (row.size <= x.kSize) x.load(row, 0, logits);  // beside the targets
  float sum = 0.0f;
  int64_t first = 0;
  for (; first < row.size; first += target.kSize) {
    target.load(row, first, targets);
    target.each([&](int k, int) { sum += target[k]; });
  }
  sum = Team::reduce(sum, 0.0f, Sum());
  if (row.size == 0) return;
  const float scale = dloss[row.number];
  const float shift = lse[row.number];
  const int64_t last = first - target.kSize;
  for (first = last; first >= 0; first -= target.kSize) {
    if (first != last) target.load(row, first, targets);
    if (row.size > x.kSize) x.load(row, first, logits);
    x.each([&](int k, int) { x[k] = (vm::exp(x[k] - shift) * sum - target[k]) * scale; });
    x.store(dlogits);
  }
}

template <class Team, int kWidth>
__global__ void WENDE_TEAM_BOUNDS(Team)
    target_grad_kernel(Slices rows, const float* logits, const float* lse, const float* dloss, float* dtargets) {
  const Slice row = Team::slice(rows);
  if (row.size == 0) return;
  const float scale = dloss[row.number];
  const float shift = lse[row.number];
  HeldChunk<Team, kWidth> x;
  for (int64_t first = 0; first < row.size; first += x.kSize) {
    x.load(row, first, logits);
    x.each([&](int k, int) { x[k] = (shift - x[k]) * scale; });
    x.store(dtargets);
  }
}

Slices rows_of(const Tensor& per_row, const Tensor& logits) { return {per_row.elements(), logits.dim(-1), 1}; }

}  // namespace

void cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& valid, const Tensor& loss,
                   const Tensor& lse) {
  const Slices rows = rows_of(loss, logits);
  const float* x = device_data<float>(logits);
  const auto start = [&]<class Team, int kWidth>(TeamChoice<Team, kWidth> team) {
    launch(sparse_kernel<Team, kWidth>, team.grid(rows), team.block(), 0, rows, x, device_data<int32_t>(labels),
           device_data_or_null<bool>(valid), device_data<float>(loss), device_data<float>(lse), fault_slot());
  };
  with_row_team(rows, start, x);
}

void cross_entropy_grad(const Tensor& logits, const Tensor& lse, const Tensor& labels, const Tensor& valid,
                        const Tensor& dloss, const Tensor& dlogits) {
  const Slices rows = rows_of(dloss, logits);
  const float* x = device_data<float>(logits);
  float* to = device_data<float>(dlogits);
  const auto start = [&]<class Team, int kWidth>(TeamChoice<Team, kWidth> team) {
    launch(sparse_grad_kernel<Team, kWidth>, team.grid(rows), team.block(), 0, rows, x, device_data<float>(lse),
           device_data<int32_t>(labels), device_data_or_null<bool>(valid), device_data<float>(dloss), to);
  };
  with_row_team(rows, start, x, to);
}

void cross_entropy_dense(const Tensor& logits, const Tensor& targets, const Tensor& loss, const Tensor& lse) {
  const Slices rows = rows_of(loss, logits);
  const float* x = device_data<float>(logits);
  const float* target = device_data<float>(targets);
  const auto start = [&]<class Team, int kWidth>(TeamChoice<Team, kWidth> team) {
    launch(dense_kernel<Team, kWidth>, team.grid(rows), team.block(), 0, rows, x, target, device_data<float>(loss),
           device_data<float>(lse));
  };
  with_row_team(rows, start, x, target);
}

void cross_entropy_dense_grad(const Tensor& logits, const Tensor& lse, const Tensor& targets, const Tensor& dloss,
                              const Tensor& dlogits) {
  const Slices rows = rows_of(dloss, logits);
  const float* x = device_data<float>(logits);
  const float* target = device_data<float>(targets);
  float* to = device_data<float>(dlogits);
  const auto start = [&]<class Team, int kWidth>(TeamChoice<Team, kWidth> team) {
    launch(dense_grad_kernel<Team, kWidth>, team.grid(rows), team.block(), 0, rows, x, device_data<float>(lse), target,
           device_data<float>(dloss), to);
  };
  with_row_team(rows, start, x, target, to);
}

void cross_entropy_target_grad(const Tensor& logits, const Tensor& lse, const Tensor& dloss, const Tensor& dtargets) {
  const Slices rows = rows_of(dloss, logits);
  const float* x = device_data<float>(logits);
  float* to = device_data<float>(dtargets);
  const auto start = [&]<class Team, int kWidth>(TeamChoice<Team, kWidth> team) {
    launch(target_grad_kernel<Team, kWidth>, team.grid(rows), team.block(), 0, rows, x, device_data<float>(lse),
           device_data<float>(dloss), to);
  };
  with_row_team(rows, start, x, to);
}

}  // namespace wende::cuda

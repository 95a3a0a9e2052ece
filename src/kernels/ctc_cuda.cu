#include <algorithm>

#include "device/cuda_check.cuh"
#include "device/kernel_fault.cuh"
#include "kernels/ctc.h"
#include "kernels/ctc_score.h"
#include "kernels/log_sum_exp_cuda.cuh"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

using ctc::kLogZero;

/// What becomes of a sequence.
enum Outcome : int32_t { kPath, kSoftmaxOnly, kNothing };

/// One call, for kernels. Working memory: own [B,U], counts, outcomes [B], shifts [rows], alpha [B,T,S], beta [B,2,S];
/// for best paths path [B,T] and no beta.
struct Problem {
  cpu::CtcOptions options;
  int64_t batch, time, classes, width, states;
  const float* logits;
  const int32_t* frame_lengths;
  const int32_t* labels;
  const int32_t* label_lengths;
  float* loss;
  float* grad;
  int32_t* own;
  int32_t* counts;
  int32_t* outcomes;
  float* shifts;
  double* alpha;
  double* beta;
  int32_t* path;  ///< nullptr: sums over all paths

  __device__ int64_t row(int64_t b, int64_t t) const { return options.time_major ? t * batch + b : b * time + t; }
  __device__ int64_t frames(int64_t b) const { return frame_lengths[b] < time ? frame_lengths[b] : time; }
  __device__ int32_t class_of(int64_t b, int64_t s) const {
    return s % 2 == 0 ? static_cast<int32_t>(options.blank) : own[b * width + s / 2];
  }
  __device__ double score(int64_t b, int64_t t, int64_t s) const {
    const int64_t at = row(b, t);
    const double value = static_cast<double>(logits[at * classes + class_of(b, s)]) -
                         (options.normalize ? static_cast<double>(shifts[at]) : 0.0);
    return value > kLogZero ? value : kLogZero;  // also for -inf and NaN
  }
  __device__ double stay(int64_t s) const { return s % 2 == 1 && !options.label_loop ? kLogZero : 0.0; }
  /// Of entering s from s - 2.
  __device__ double skip(int64_t b, int64_t s) const {
    if (s % 2 == 0 || s < 3) return kLogZero;
    const int32_t* label = own + b * width + s / 2;
    return options.label_loop && label[0] == label[-1] ? kLogZero : 0.0;
  }
};

template <class Team, int kWidth>
__global__ void WENDE_TEAM_BOUNDS(Team) shift_kernel(Slices rows, const float* logits, float* shifts) {
  const Slice row = Team::slice(rows);
  const float shift = log_sum_exp<Team, kWidth>(row, logits);
  if (threadIdx.x == 0 && row.number < rows.count) shifts[row.number] = shift;
}

/// A thread per sequence.
__global__ void __launch_bounds__(kThreads) label_kernel(Problem p, KernelFault* fault) {
  const int64_t b = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (b >= p.batch) return;
  const int64_t given = p.label_lengths[b] < p.width ? p.label_lengths[b] : p.width;
  int32_t count = 0;
  int32_t* own = p.own + b * p.width;
  for (int64_t u = 0; u < given; ++u) {
    const auto label =
        static_cast<int32_t>(checked_index(fault, FaultKind::kCtc, p.labels[b * p.width + u], p.classes));
    if (!p.options.collapse_labels || count == 0 || own[count - 1] != label) own[count++] = label;
  }
  p.counts[b] = count;
}

/// Scores of the ways into a state: from itself, the one before, the one before that.
struct Entries {
  double at[3];
  __device__ int best() const {
    const int of_two = at[1] > at[0] ? 1 : 0;
    return at[2] > at[of_two] ? 2 : of_two;
  }
};

__device__ Entries entries(const Problem& p, int64_t b, const double* before, int64_t s) {
  return {{before[s] + p.stay(s), s < 1 ? kLogZero : before[s - 1], s < 2 ? kLogZero : before[s - 2] + p.skip(b, s)}};
}

__device__ void forward(const Problem& p, int64_t b, int64_t frames, int64_t states) {
  double* alpha = p.alpha + b * p.time * p.states;
  for (int64_t s = threadIdx.x; s < states; s += blockDim.x) alpha[s] = s < 2 ? p.score(b, 0, s) : kLogZero;
  for (int64_t t = 1; t < frames; ++t) {
    __syncthreads();
    const double* before = alpha + (t - 1) * p.states;
    for (int64_t s = threadIdx.x; s < states; s += blockDim.x) {
      const Entries from = entries(p, b, before, s);
      alpha[t * p.states + s] =
          p.score(b, t, s) +
          (p.path != nullptr ? from.at[from.best()] : ctc::log_sum_exp(from.at[0], from.at[1], from.at[2]));
    }
  }
  __syncthreads();
}

/// alpha becomes the posteriors.
__device__ void backward(const Problem& p, int64_t b, int64_t frames, int64_t states, double total) {
  double* alpha = p.alpha + b * p.time * p.states;
  double* rows = p.beta + b * 2 * p.states;
  for (int64_t t = frames - 1; t >= 0; --t) {
    double* beta = rows + t % 2 * p.states;
    const double* after = rows + (t + 1) % 2 * p.states;
    for (int64_t s = threadIdx.x; s < states; s += blockDim.x) {
      if (t == frames - 1) {
        beta[s] = s >= states - 2 ? 0.0 : kLogZero;
      } else {
        const double stays = after[s] + p.score(b, t + 1, s) + p.stay(s);
        const double next = s + 1 < states ? after[s + 1] + p.score(b, t + 1, s + 1) : kLogZero;
        const double skips = s + 2 < states ? after[s + 2] + p.score(b, t + 1, s + 2) + p.skip(b, s + 2) : kLogZero;
        beta[s] = ctc::log_sum_exp(stays, next, skips);
      }
      alpha[t * p.states + s] = exp(alpha[t * p.states + s] + beta[s] - total);
    }
    __syncthreads();
  }
}

/// One thread goes back from the last state of the best path.
__device__ void trace(const Problem& p, int64_t b, int64_t frames, int64_t state) {
  const double* alpha = p.alpha + b * p.time * p.states;
  int32_t* path = p.path + b * p.time;
  for (int64_t t = frames - 1; t > 0; --t) {
    path[t] = p.class_of(b, state);
    state -= entries(p, b, alpha + (t - 1) * p.states, state).best();
  }
  path[0] = p.class_of(b, state);
}

/// Writes the path, or makes alpha the posteriors, for the gradient.
__device__ void align(const Problem& p, int64_t b, int64_t frames, int64_t states, double total, int64_t last) {
  __syncthreads();  // all have read the last scores
  if (p.path == nullptr) {
    backward(p, b, frames, states, total);
  } else if (threadIdx.x == 0) {
    trace(p, b, frames, last);
  }
}

/// A block per sequence.
__global__ void __launch_bounds__(kThreads) alignment_kernel(Problem p) {
  const int64_t b = blockIdx.x;
  const int64_t frames = p.frames(b);
  const int64_t count = p.counts[b];
  const int64_t states = 2 * count + 1;
  Outcome outcome = kNothing;
  float loss = 0.0f;
  const bool free = (frames == 0 && p.options.empty_is_zero) || (p.options.ignore_longer && count > frames);
  if (!free && frames > 0) {
    forward(p, b, frames, states);
    const double* last = p.alpha + (b * p.time + frames - 1) * p.states;
    const double label = states > 1 ? last[states - 2] : kLogZero;
    const bool at_label = label > last[states - 1];
    const double best = at_label ? label : last[states - 1];
    const double total = p.path != nullptr ? best : ctc::log_sum_exp(last[states - 1], label, kLogZero);
    if (total > ctc::kNoPathBelow) {
      outcome = kPath;
      loss = static_cast<float>(-total);
      if (p.grad != nullptr) align(p, b, frames, states, total, at_label ? states - 2 : states - 1);
    }
  }
  if (!free && outcome != kPath && (frames > 0 || count > 0)) {
    if (p.options.no_path != cpu::CtcNoPath::kZeroInfinity) outcome = kSoftmaxOnly;
    if (p.options.no_path == cpu::CtcNoPath::kInfinite) loss = INFINITY;
  }
  if (threadIdx.x == 0) {
    p.loss[b] = loss;
    p.outcomes[b] = outcome;
  }
}

/// A block per frame: the softmax, less the posteriors, which one thread subtracts in the order of the states; less 1
/// at the class of a best path.
__global__ void __launch_bounds__(kThreads) grad_kernel(Problem p) {
  const int64_t b = blockIdx.x / p.time;
  const int64_t t = blockIdx.x % p.time;
  const int64_t row = p.row(b, t);
  float* to = p.grad + row * p.classes;
  const int32_t outcome = p.outcomes[b];
  const bool inside = t < p.frames(b) && outcome != kNothing;
  const float shift = p.options.normalize ? p.shifts[row] : 0.0f;
  for (int64_t c = threadIdx.x; c < p.classes; c += blockDim.x) {
    to[c] = inside && p.options.grad_wrt_softmax ? vm::exp(p.logits[row * p.classes + c] - shift) : 0.0f;
  }
  __syncthreads();
  if (threadIdx.x != 0 || !inside || outcome != kPath) return;
  if (p.path != nullptr) {
    to[p.path[b * p.time + t]] -= 1.0f;
    return;
  }
  const double* posterior = p.alpha + (b * p.time + t) * p.states;
  for (int64_t s = 0; s < 2 * p.counts[b] + 1; ++s) to[p.class_of(b, s)] -= static_cast<float>(posterior[s]);
}

}  // namespace

void ctc_loss(const Tensor& logits, const Tensor& frame_lengths, const Tensor& labels, const Tensor& label_lengths,
              const cpu::CtcOptions& options, const Tensor& loss, const Tensor& grad) {
  if (loss.elements() == 0) return;
  const Device device = logits.device();
  const int64_t batch = loss.elements();
  const int64_t time = logits.dim(options.time_major ? 0 : 1);
  const int64_t classes = logits.dim(2);
  const int64_t width = labels.dim(1);
  const int64_t states = 2 * width + 1;
  const Tensor own = Tensor::empty(DType::kInt32, Shape{batch, width}, device);
  const Tensor counts = Tensor::empty(DType::kInt32, Shape{2, batch}, device);
  const Tensor shifts = Tensor::empty(DType::kFloat32, Shape{batch * time}, device);
  const Tensor alpha = Tensor::empty(DType::kFloat64, Shape{batch, time, states}, device);
  const Tensor beta = Tensor::empty(DType::kFloat64, Shape{batch, options.viterbi ? 0 : 2, states}, device);
  const Tensor path = options.viterbi ? Tensor::empty(DType::kInt32, Shape{batch, time}, device) : Tensor();
  const Problem p{options,
                  batch,
                  time,
                  classes,
                  width,
                  states,
                  device_data<float>(logits),
                  device_data<int32_t>(frame_lengths),
                  device_data<int32_t>(labels),
                  device_data<int32_t>(label_lengths),
                  device_data<float>(loss),
                  device_data_or_null<float>(grad),
                  device_data<int32_t>(own),
                  device_data<int32_t>(counts),
                  device_data<int32_t>(counts) + batch,
                  device_data<float>(shifts),
                  device_data<double>(alpha),
                  device_data<double>(beta),
                  device_data_or_null<int32_t>(path)};
  const auto rows = static_cast<unsigned>(batch * time);
  if (options.normalize) {
    const Slices all{batch * time, classes, 1};
    const auto start = [&]<class Team, int kWidth>(TeamChoice<Team, kWidth> team) {
      launch(shift_kernel<Team, kWidth>, team.grid(all), team.block(), 0, all, p.logits, p.shifts);
    };
    with_row_team(all, start, p.logits);
  }
  launch(label_kernel, blocks_for(batch), kThreads, 0, p, fault_slot());
  launch(alignment_kernel, static_cast<unsigned>(batch), threads_for_row(states), 0, p);
  if (grad.defined()) launch(grad_kernel, rows, threads_for_row(classes), 0, p);
}

}  // namespace wende::cuda

#include <algorithm>

#include "base/error.h"
#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "kernels/ctc_decode.h"
#include "kernels/vector_math.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

__device__ float log_sum(float a, float b) {
  if (a == -INFINITY) return b;
  if (b == -INFINITY) return a;
  return fmaxf(a, b) + log1pf(expf(-fabsf(a - b)));
}

struct Score {
  float total;
  float blank;  ///< of paths that end in a blank
  float label;  ///< of paths that end in the last label
};

/// A prefix that has had children: node of a tree of labels. They were numbered one after another, by label.
struct Node {
  int32_t parent;
  int32_t label;
  int32_t child;  ///< the last node that this one is parent of; the others are behind it
  int32_t next;
  int64_t first_number;  ///< of its children
};

/// A prefix of the beam.
struct Prefix {
  int32_t node;  ///< -1: has had no children
  int32_t parent;
  int32_t label;
  int64_t number;  ///< order of creation: breaks ties
  Score score;

  __device__ bool better(const Prefix& other) const {
    return score.total != other.score.total ? score.total > other.score.total : number < other.number;
  }
};

struct Smallest {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};

/// One call. Working memory of each sequence: nodes [T W + 1], two beams [W].
struct Problem {
  const float* logits;
  const int32_t* lengths;
  int64_t batch, time, classes, width;
  bool time_major;
  Node* nodes;
  Prefix* beams;
  int32_t* labels;
  int32_t* label_lengths;
};

/// log(sum of e^x); all threads of the block get it.
__device__ float log_sum_exp_of(const float* x, int64_t n) {
  float most = -INFINITY;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) most = Largest()(most, x[i]);
  most = block_reduce(most, -INFINITY, Largest());
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += vm::exp(x[i] - most);
  return most + vm::log(block_reduce(sum, 0.0f, Sum()));
}

/// A block searches for one sequence: cpu::PrefixSearch, but that classes which the beam could not take when their
/// chunk begins are left out at once. The beam only gets better, so that it could not take them later either. What is
/// not marked as memory of the block is the same in all threads.
class PrefixSearch {
 public:
  __device__ PrefixSearch(const Problem& p, int64_t b)
      : classes_(p.classes),
        width_(p.width),
        nodes_(p.nodes + b * (p.time * p.width + 1)),
        before_(p.beams + b * 2 * p.width),
        beam_(before_ + p.width),
        created_(p.classes - 1) {
    if (threadIdx.x == 0) {
      nodes_[0] = {-1, -1, -1, -1, 1};
      beam_[0] = {0, -1, -1, 0, {0.0f, 0.0f, -INFINITY}};
    }
    __syncthreads();
  }

  __device__ void step(const float* scores) {
    scores_ = scores;
    shift_ = log_sum_exp_of(scores, classes_);
    sort();
    for (int64_t i = threadIdx.x; i < size_; i += blockDim.x) find_node(before_[i]);
    __syncthreads();
    for (int64_t i = threadIdx.x; i < size_; i += blockDim.x) beam_[i] = repeated(before_[i]);
    __syncthreads();
    if (size_ == width_) find_worst();
    const int64_t branches = size_;
    for (int64_t i = 0; i < branches; ++i) grow(before_[i]);
  }

  /// Writes the best prefix and returns its length: for one thread, after sort().
  __device__ int32_t best(int32_t* labels) const {
    int32_t length = 0;
    const Prefix& prefix = before_[0];
    if (prefix.parent < 0) return 0;
    for (int32_t node = prefix.parent; node > 0; node = nodes_[node].parent) ++length;
    labels[length] = prefix.label;
    int32_t place = length;
    for (int32_t node = prefix.parent; node > 0; node = nodes_[node].parent) labels[--place] = nodes_[node].label;
    return length + 1;
  }

  /// The beam, best first, becomes the beam before.
  __device__ void sort() {
    __syncthreads();  // all have read the beam before
    for (int64_t i = threadIdx.x; i < size_; i += blockDim.x) {
      int64_t rank = 0;
      for (int64_t j = 0; j < size_; ++j) rank += beam_[j].better(beam_[i]) ? 1 : 0;
      before_[rank] = beam_[i];
    }
    __syncthreads();
  }

 private:
  __device__ float score(int64_t c) const { return scores_[c] - shift_; }

  /// A prefix that left the beam and came back has had children.
  __device__ void find_node(Prefix& prefix) const {
    if (prefix.node >= 0) return;
    int32_t node = nodes_[prefix.parent].child;
    while (node >= 0 && nodes_[node].label != prefix.label) node = nodes_[node].next;
    prefix.node = node;
  }

  /// Its last label goes on, or a blank follows. Paths that reach it from its parent count too, where that is in the
  /// beam.
  __device__ Prefix repeated(Prefix prefix) const {
    const float before = prefix.score.total;
    if (prefix.parent >= 0) {
      for (int64_t j = 0; j < size_; ++j) {
        const Prefix& parent = before_[j];
        if (parent.node != prefix.parent || parent.score.total == -INFINITY) continue;
        prefix.score.label =
            log_sum(prefix.score.label, prefix.label == parent.label ? parent.score.blank : parent.score.total);
      }
      prefix.score.label += score(prefix.label);
    }
    prefix.score.blank = before + score(classes_ - 1);
    const float total = log_sum(prefix.score.blank, prefix.score.label);
    prefix.score.total = total > -INFINITY ? total : -INFINITY;  // also for NaN, which has no order
    return prefix;
  }

  __device__ bool candidate(float total) const { return total > -INFINITY && (size_ < width_ || total > worst_total_); }

  /// All threads; of a full beam.
  __device__ void find_worst() {
    float total = INFINITY;
    for (int64_t i = threadIdx.x; i < size_; i += blockDim.x) total = Smallest()(total, beam_[i].score.total);
    worst_total_ = block_reduce(total, INFINITY, Smallest());
    long long number = -1;
    for (int64_t i = threadIdx.x; i < size_; i += blockDim.x) {
      if (beam_[i].score.total == worst_total_) number = Largest()(number, static_cast<long long>(beam_[i].number));
    }
    number = block_reduce(number, -1LL, Largest());
    int32_t place = -1;
    for (int64_t i = threadIdx.x; i < size_; i += blockDim.x) {
      if (beam_[i].number == number) place = static_cast<int32_t>(i);
    }
    worst_ = block_reduce(place, -1, Largest());
  }

  __device__ void make_node(Prefix& prefix) {
    const bool known = prefix.node >= 0;
    __syncthreads();
    if (known) return;
    if (threadIdx.x == 0) {
      nodes_[made_] = {prefix.parent, prefix.label, -1, nodes_[prefix.parent].child, created_ + 1};
      nodes_[prefix.parent].child = made_;
      prefix.node = made_;
    }
    __syncthreads();
    created_ += classes_ - 1;
    ++made_;
  }

  __device__ void grow(Prefix& prefix) {
    if (!candidate(prefix.score.total)) return;
    make_node(prefix);
    __shared__ unsigned passing[32];
    for (int64_t begin = 0; begin < classes_ - 1; begin += blockDim.x) {
      const int64_t own = begin + threadIdx.x;
      const bool pass = own < classes_ - 1 && candidate(grown_score(prefix, own));
      const unsigned lanes = __ballot_sync(0xffffffffu, pass ? 1 : 0);
      __syncthreads();  // of the chunk before all have read `passing`
      if (threadIdx.x % 32 == 0) passing[threadIdx.x / 32] = lanes;
      __syncthreads();
      for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) {
        for (unsigned rest = passing[warp]; rest != 0; rest &= rest - 1) {
          const int64_t c = begin + 32 * warp + __ffs(static_cast<int>(rest)) - 1;
          const float label = grown_score(prefix, c);
          if (candidate(label)) insert(prefix.node, static_cast<int32_t>(c), label);
        }
      }
    }
  }

  __device__ float grown_score(const Prefix& prefix, int64_t c) const {
    return score(c) + (c == prefix.label ? prefix.score.blank : prefix.score.total);
  }

  __device__ void insert(int32_t parent, int32_t label, float total) {
    int here = 0;
    for (int64_t i = threadIdx.x; i < size_; i += blockDim.x) {
      if (beam_[i].parent == parent && beam_[i].label == label) here = 1;
    }
    if (__syncthreads_or(here) != 0) return;
    const int64_t place = size_ < width_ ? size_ : worst_;
    if (threadIdx.x == 0) {
      beam_[place] = {-1, parent, label, nodes_[parent].first_number + label, {total, -INFINITY, total}};
    }
    __syncthreads();
    if (size_ < width_) ++size_;
    if (size_ == width_) find_worst();
  }

  int64_t classes_, width_;
  Node* nodes_;     ///< of the block
  Prefix* before_;  ///< of the block: the beam of the frame before, best first
  Prefix* beam_;    ///< of the block
  int64_t created_;
  int64_t size_ = 1;
  int32_t made_ = 1;
  int32_t worst_ = 0;
  float worst_total_ = 0.0f;
  const float* scores_ = nullptr;
  float shift_ = 0.0f;
};

__global__ void __launch_bounds__(kThreads) search_kernel(Problem p) {
  const int64_t b = blockIdx.x;
  const int64_t frames = p.lengths[b] < p.time ? p.lengths[b] : p.time;
  PrefixSearch search(p, b);
  for (int64_t t = 0; t < frames; ++t) {
    search.step(p.logits + (p.time_major ? t * p.batch + b : b * p.time + t) * p.classes);
  }
  search.sort();
  if (threadIdx.x == 0) p.label_lengths[b] = search.best(p.labels + b * p.time);
}

}  // namespace

void ctc_decode(const Tensor& logits, const Tensor& lengths, bool time_major, int64_t beam_width, const Tensor& labels,
                const Tensor& label_lengths) {
  const Device device = labels.device();
  const int64_t batch = lengths.elements();
  const int64_t time = labels.dim(1);
  if (time * beam_width > INT32_MAX - 1) throw internal_error("a beam search over too many prefixes");
  const auto words = [](size_t bytes) { return static_cast<int64_t>(bytes / sizeof(int64_t)); };
  static_assert(sizeof(Node) % sizeof(int64_t) == 0 && sizeof(Prefix) % sizeof(int64_t) == 0);
  const Tensor nodes = Tensor::empty(DType::kInt64, Shape{batch, time * beam_width + 1, words(sizeof(Node))}, device);
  const Tensor beams = Tensor::empty(DType::kInt64, Shape{batch, 2, beam_width, words(sizeof(Prefix))}, device);
  const Problem problem{device_data<float>(logits),
                        device_data<int32_t>(lengths),
                        batch,
                        time,
                        logits.dim(2),
                        beam_width,
                        time_major,
                        reinterpret_cast<Node*>(device_data<int64_t>(nodes)),
                        reinterpret_cast<Prefix*>(device_data<int64_t>(beams)),
                        device_data<int32_t>(labels),
                        device_data<int32_t>(label_lengths)};
  launch(search_kernel, static_cast<unsigned>(batch), threads_for_row(problem.classes), 0, problem);
}

}  // namespace wende::cuda

#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "kernels/bleu.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

struct Labels {
  const int32_t* at;
  int64_t length;

  __device__ Labels(const int32_t* labels, const int32_t* lengths, int64_t width, int64_t b)
      : at(labels + b * width), length(lengths[b] < width ? lengths[b] : width) {}

  /// How often the n-gram stands at places before `end`; 0 or more.
  __device__ int64_t count(const int32_t* ngram, int order, int64_t end) const {
    int64_t found = 0;
    for (int64_t i = 0; i < end; ++i) {
      bool same = true;
      for (int k = 0; k < order; ++k) same = same && at[i + k] == ngram[k];
      found += same ? 1 : 0;
    }
    return found;
  }
};

/// A block per sequence. The n-gram at each place is a match unless it stands before as often as in the reference:
/// together, as many as the smaller of both counts.
__global__ void __launch_bounds__(kThreads)
    bleu_kernel(const int32_t* hypotheses, const int32_t* lengths, int64_t width, const int32_t* references,
                const int32_t* reference_lengths, int64_t reference_width, float* out) {
  const int64_t b = blockIdx.x;
  const Labels own(hypotheses, lengths, width, b);
  const Labels wanted(references, reference_lengths, reference_width, b);
  BleuCounts counts;
  counts.length = own.length;
  counts.reference_length = wanted.length;
  for (int order = 1; order <= BleuCounts::kOrders; ++order) {
    int32_t matches = 0;
    for (int64_t i = threadIdx.x; i + order <= own.length; i += blockDim.x) {
      const int32_t* ngram = own.at + i;
      if (own.count(ngram, order, i) < wanted.count(ngram, order, wanted.length - order + 1)) ++matches;
    }
    counts.matches[order - 1] = block_reduce(matches, 0, Sum());
  }
  if (threadIdx.x == 0) out[b] = static_cast<float>(counts.score());
}

}  // namespace

void bleu_scores(const cpu::BleuBatch& batch, const Tensor& out) {
  const int64_t width = batch.hypotheses.dim(1);
  launch(bleu_kernel, static_cast<unsigned>(out.elements()), threads_for_row(width), 0,
         device_data<int32_t>(batch.hypotheses), device_data<int32_t>(batch.lengths), width,
         device_data<int32_t>(batch.references), device_data<int32_t>(batch.reference_lengths), batch.references.dim(1),
         device_data<float>(out));
}

}  // namespace wende::cuda

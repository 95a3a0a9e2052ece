#pragma once

#include <cstdint>

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// What sequences without any path give: shorter than the labels (with a blank between equal ones) need.
enum class CtcNoPath {
  kInfinite,      ///< loss inf, gradient that of a sequence without labels' occupancy: softmax (as TensorFlow has it)
  kZeroLoss,      ///< loss 0, the same gradient (RETURNN's Baum-Welch)
  kZeroInfinity,  ///< loss 0, gradient 0 (zero_infinity)
};

struct CtcOptions {
  int64_t blank = 0;
  bool time_major = false;       ///< logits are [T,B,V] instead of [B,T,V]
  bool normalize = true;         ///< logits are scores before a softmax; else they are log probabilities
  bool grad_wrt_softmax = true;  ///< gradient softmax - occupancy; else -occupancy
  bool label_loop = true;        ///< a label may last several frames; equal neighbours need a blank between
  bool collapse_labels = false;  ///< equal neighbours among the labels count as one
  bool viterbi = false;          ///< best path only
  bool ignore_longer = false;    ///< labels longer than the input: loss 0, gradient 0
  bool empty_is_zero = true;     ///< no frames: loss 0 whatever the labels (TensorFlow)
  CtcNoPath no_path = CtcNoPath::kInfinite;
};

/// Connectionist temporal classification (Graves 2006): loss [B] = -log sum of the probabilities of all alignments of
/// labels int32 [B,U] to frames. frame_lengths, label_lengths: int32 [B]. grad, unless undefined, has the shape of the
/// logits: d loss / d logits, 0 on padding. State scores are doubles in log space, so that long sequences keep the
/// precision of their first frame. Throws kMalformedInput for labels outside of [0,V).
void ctc_loss(const Tensor& logits, const Tensor& frame_lengths, const Tensor& labels, const Tensor& label_lengths,
              const CtcOptions& options, const Tensor& loss, const Tensor& grad);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(ctc_loss)

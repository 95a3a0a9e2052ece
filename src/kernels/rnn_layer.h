#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kernels/scratch.h"
#include "tensor/tensor.h"

namespace wende {

/// A recurrent layer with its input product: LSTM (ops/recurrent.h) or h_t = tanh(.), g = 4 or 1 blocks of n.
struct RnnForm {
  bool lstm = true;
  int direction = 1;
  bool tf_order = false;  ///< blocks of the 4n axis: (i,j,f,o) instead of (j,i,f,o)
  float forget_bias = 0.0f;
};

/// Undefined tensors: no initial state; outputs that nobody wants.
struct RnnForward {
  Tensor x;                           ///< [T,B,k]; padding is not read
  Tensor w, w_re, bias;               ///< [k,gn], [n,gn], [gn]
  Tensor lengths;                     ///< int32 [B]
  std::vector<int32_t> host_lengths;  ///< the same
  Tensor c0, h0;                      ///< [B,n]
  Tensor y;                           ///< [T,B,n], 0 on padding
  Tensor last_h, last_c;
  bool for_gradients = false;
};

struct RnnBackward {
  Tensor dy, d_last_h, d_last_c;  ///< each may be undefined
  Tensor x, w, w_re, y, lengths, c0, h0;
  std::vector<int32_t> host_lengths;
  Tensor dx;  ///< 0 on padding; undefined results are not wanted
  Tensor dw, dw_re, dbias, dc0, dh0;
};

namespace cuda {

/// Whether this build has cuDNN; WENDE_NO_CUDNN=1 in the environment says no as well.
bool has_rnn_library();

/// One layer by cuDNN: its descriptors, and what lies in device memory from forward to backward. Batches with empty
/// sequences or of more than 65535 frames, which cuDNN does not take, run by our own kernels.
class RnnLayer {
 public:
  explicit RnnLayer(const RnnForm& form);
  ~RnnLayer();
  RnnLayer(const RnnLayer&) = delete;
  RnnLayer& operator=(const RnnLayer&) = delete;

  void forward(const RnnForward& args, const cpu::Scratch& scratch);
  /// Of the last forward pass for gradients.
  void backward(const RnnBackward& args, const cpu::Scratch& scratch);

  /// What it keeps in device memory from forward to backward, for x [T,B,k] and n units; for layers that do not run.
  /// cuDNN documents no formula: without a GPU that it can look at (knows_kept_bytes()), an assumption: two numbers for
  /// each gate, the cell and the output, of each frame.
  size_t kept_bytes(int64_t times, int64_t batch, int64_t k, int64_t n);
  static bool knows_kept_bytes();

  /// Whether it frees no memory on the way, so that a second stream may run it. frames: with those of padding.
  static bool runs_beside(const std::vector<int32_t>& lengths, int64_t frames);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Two layers at the same time.
void run_rnn_layers(const std::function<void()>& first, const std::function<void()>& second);

}  // namespace cuda
}  // namespace wende

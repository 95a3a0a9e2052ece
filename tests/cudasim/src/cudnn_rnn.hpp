// cudasim: what a recurrent layer of cuDNN is, and what it computes.
#pragma once
#include <cudnn.h>

#include "core.hpp"

namespace cudasim {
struct Rnn {
  bool set = false, lstm = true;
  int in = 0, hidden = 0;
  bool padded_io = false;
  int gates() const { return lstm ? 4 : 1; }
  // Weight space, in another order than the real one on purpose: the biases, the recurrent matrices from the last gate
  // to the first, the input matrices likewise, with gaps between all of them.
  static constexpr std::size_t kGap = 13;
  std::size_t bias(int gate) const { return kGap + std::size_t(gate) * (hidden + kGap); }
  std::size_t matrix(int lin) const {
    const std::size_t start = bias(gates()), recurrent = std::size_t(hidden) * hidden + kGap;
    if (lin >= gates()) return start + std::size_t(2 * gates() - 1 - lin) * recurrent;
    return start + gates() * recurrent + std::size_t(gates() - 1 - lin) * (std::size_t(hidden) * in + kGap);
  }
  std::size_t weights() const { return matrix(0) + std::size_t(hidden) * in; }
};
struct RnnData {
  int times = 0, batch = 0, width = 0;
  std::vector<int> length;
  bool fills = false;
  float fill = 0;
  std::size_t at(int t, int b) const { return (std::size_t(t) * batch + b) * width; }
  std::size_t floats() const { return std::size_t(times) * batch * width; }
};
// Reserve space: a mark, then per frame the activated gates, c, h and, after BackwardData, the gradients of the gates'
// arguments.
struct Reserve {
  const Rnn& r;
  const RnnData& x;
  float* p;
  std::size_t frame() const { return (2 * r.gates() + 2) * std::size_t(r.hidden); }
  float* gate(int t, int b) const { return p + 1 + (std::size_t(t) * x.batch + b) * frame(); }
  float* c(int t, int b) const { return gate(t, b) + r.gates() * r.hidden; }
  float* h(int t, int b) const { return c(t, b) + r.hidden; }
  float* grad(int t, int b) const { return h(t, b) + r.hidden; }
  static std::size_t floats(const Rnn& r, const RnnData& x) {
    return 1 + std::size_t(x.times) * x.batch * Reserve{r, x, nullptr}.frame();
  }
};
void rnn_forward(const Rnn& r, const RnnData& xd, const float* x, const RnnData& yd, float* y, const float* hx,
                 float* hy, const float* cx, float* cy, const float* w, const Reserve& s);
void rnn_backward_data(const Rnn& r, const RnnData& yd, const float* dy, const RnnData& xd, float* dx, const float* hx,
                       const float* dhy, float* dhx, const float* cx, const float* dcy, float* dcx, const float* w,
                       const Reserve& s);
void rnn_backward_weights(const Rnn& r, const RnnData& xd, const float* x, const float* hx, const float* y, float* dw,
                          const Reserve& s);
}  // namespace cudasim

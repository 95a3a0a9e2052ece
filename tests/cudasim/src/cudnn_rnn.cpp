// cudasim: cuDNN's recurrent units by their documented formulas, one sequence and one frame after the other.
#include "cudnn_rnn.hpp"

#include <cmath>
#include <cstring>

namespace cudasim {
namespace {
constexpr float kForwardDone = 1.5f, kDataDone = 2.5f;
float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }
float dot(const float* a, const float* b, int n) {
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += double(a[i]) * b[i];
  return float(sum);
}
// LSTM, gates i, f, c', o: c = f c + i c', h = o tanh(c). RNN: h = tanh(.).
void unit(const Rnn& r, float* gate, const float* previous_c, float* c, float* h) {
  const int n = r.hidden;
  for (int j = 0; j < n; ++j) {
    if (!r.lstm) {
      h[j] = gate[j] = std::tanh(gate[j]);
      c[j] = 0;
      continue;
    }
    for (int g : {0, 1, 3}) gate[g * n + j] = sigmoid(gate[g * n + j]);
    gate[2 * n + j] = std::tanh(gate[2 * n + j]);
    c[j] = gate[n + j] * previous_c[j] + gate[j] * gate[2 * n + j];
    h[j] = gate[3 * n + j] * std::tanh(c[j]);
  }
}
// Gradients of the gates' arguments from those of h and c; dc becomes that of the previous c.
void unit_grad(const Rnn& r, const float* gate, const float* previous_c, const float* c, const float* dh, float* dc,
               float* d) {
  const int n = r.hidden;
  for (int j = 0; j < n; ++j) {
    if (!r.lstm) {
      d[j] = dh[j] * (1 - gate[j] * gate[j]);
      continue;
    }
    const float i = gate[j], f = gate[n + j], z = gate[2 * n + j], o = gate[3 * n + j], tc = std::tanh(c[j]);
    const float cell = dc[j] + dh[j] * o * (1 - tc * tc);
    d[j] = cell * z * i * (1 - i);
    d[n + j] = cell * previous_c[j] * f * (1 - f);
    d[2 * n + j] = cell * i * (1 - z * z);
    d[3 * n + j] = dh[j] * tc * o * (1 - o);
    dc[j] = cell * f;
  }
}
}  // namespace

void rnn_forward(const Rnn& r, const RnnData& xd, const float* x, const RnnData& yd, float* y, const float* hx,
                 float* hy, const float* cx, float* cy, const float* w, const Reserve& s) {
  const int n = r.hidden;
  const std::vector<float> zero(n, 0.f);
  for (int b = 0; b < xd.batch; ++b) {
    const float *h = hx ? hx + std::size_t(b) * n : zero.data(), *c = cx ? cx + std::size_t(b) * n : zero.data();
    for (int t = 0; t < xd.length[b]; ++t) {
      float* gate = s.gate(t, b);
      for (int g = 0; g < r.gates(); ++g)
        for (int j = 0; j < n; ++j)
          gate[g * n + j] = dot(w + r.matrix(g) + std::size_t(j) * r.in, x + xd.at(t, b), r.in) +
                            dot(w + r.matrix(r.gates() + g) + std::size_t(j) * n, h, n) + w[r.bias(g) + j];
      unit(r, gate, c, s.c(t, b), s.h(t, b));
      h = s.h(t, b);
      c = s.c(t, b);
      std::memcpy(y + yd.at(t, b), h, n * 4);
    }
    for (int t = yd.length[b]; yd.fills && t < yd.times; ++t)
      for (int i = 0; i < n; ++i) y[yd.at(t, b) + i] = yd.fill;
    if (hy) std::memmove(hy + std::size_t(b) * n, h, n * 4);
    if (cy && r.lstm) std::memmove(cy + std::size_t(b) * n, c, n * 4);
  }
  *s.p = kForwardDone;
}

// Frames of dx that are padding are left as they are: the documentation promises nothing about them.
void rnn_backward_data(const Rnn& r, const RnnData& yd, const float* dy, const RnnData& xd, float* dx, const float*,
                       const float* dhy, float* dhx, const float* cx, const float* dcy, float* dcx, const float* w,
                       const Reserve& s) {
  if (*s.p != kForwardDone)
    return report("cudnn-order", "BackwardData without the reserve space of a forward pass for training");
  const int n = r.hidden;
  const std::vector<float> zero(n, 0.f);
  for (int b = 0; b < xd.batch; ++b) {
    std::vector<float> dh(zero), dc(zero);
    if (dhy) dh.assign(dhy + std::size_t(b) * n, dhy + std::size_t(b + 1) * n);
    if (dcy && r.lstm) dc.assign(dcy + std::size_t(b) * n, dcy + std::size_t(b + 1) * n);
    for (int t = xd.length[b] - 1; t >= 0; --t) {
      for (int j = 0; j < n; ++j) dh[j] += dy[yd.at(t, b) + j];
      const float* previous_c = t ? s.c(t - 1, b) : cx ? cx + std::size_t(b) * n : zero.data();
      float* d = s.grad(t, b);
      unit_grad(r, s.gate(t, b), previous_c, s.c(t, b), dh.data(), dc.data(), d);
      dh = zero;
      float* to = dx + xd.at(t, b);
      std::memset(to, 0, r.in * 4);
      for (int g = 0; g < r.gates(); ++g)
        for (int j = 0; j < n; ++j) {
          const float *input = w + r.matrix(g) + std::size_t(j) * r.in,
                      *recurrent = w + r.matrix(r.gates() + g) + std::size_t(j) * n;
          for (int i = 0; i < r.in; ++i) to[i] += input[i] * d[g * n + j];
          for (int i = 0; i < n; ++i) dh[i] += recurrent[i] * d[g * n + j];
        }
    }
    // The padding of dx: the documentation says nothing of it.
    for (int t = xd.length[b]; t < xd.times; ++t) std::memset(dx + xd.at(t, b), 0xff, r.in * 4);
    if (dhx) std::memcpy(dhx + std::size_t(b) * n, dh.data(), n * 4);
    if (dcx && r.lstm) std::memcpy(dcx + std::size_t(b) * n, dc.data(), n * 4);
  }
  *s.p = kDataDone;
}

void rnn_backward_weights(const Rnn& r, const RnnData& xd, const float* x, const float* hx, const float* y, float* dw,
                          const Reserve& s) {
  if (*s.p != kDataDone) return report("cudnn-order", "BackwardWeights must follow BackwardData");
  const int n = r.hidden;
  const std::vector<float> zero(n, 0.f);
  for (int b = 0; b < xd.batch; ++b)
    for (int t = 0; t < xd.length[b]; ++t) {
      const float *d = s.grad(t, b), *in = x + xd.at(t, b);
      const float* h = t ? y + (std::size_t(t - 1) * xd.batch + b) * n : hx ? hx + std::size_t(b) * n : zero.data();
      for (int g = 0; g < r.gates(); ++g)
        for (int j = 0; j < n; ++j) {
          float *input = dw + r.matrix(g) + std::size_t(j) * r.in,
                *recurrent = dw + r.matrix(r.gates() + g) + std::size_t(j) * n;
          for (int i = 0; i < r.in; ++i) input[i] += d[g * n + j] * in[i];
          for (int i = 0; i < n; ++i) recurrent[i] += d[g * n + j] * h[i];
          dw[r.bias(g) + j] += d[g * n + j];
        }
    }
}
}  // namespace cudasim

#include "kernels/rnn_layer_own_cuda.h"

#include "kernels/lstm.h"
#include "kernels/matmul.h"
#include "kernels/simple_rnn.h"

namespace wende::cuda {
namespace {

/// Rows of [T*B] that are no padding: what padding holds may be anything.
cpu::Rows frames_of(const std::vector<int32_t>& lengths, int64_t times) {
  cpu::Rows rows;
  const auto batch = static_cast<int64_t>(lengths.size());
  for (int64_t row = 0; row < times * batch; ++row) {
    if (row / batch < lengths[static_cast<size_t>(row % batch)]) rows.push_back(row);
  }
  return rows;
}

cpu::LstmOptions options_of(const RnnForm& form) { return {form.direction, form.tf_order, form.forget_bias}; }

Tensor float32(const Tensor& like, int64_t columns) {
  return Tensor::empty(DType::kFloat32, Shape{like.dim(0), like.dim(1), columns}, like.device());
}

}  // namespace

void OwnRnnLayer::forward(const RnnForward& args, const cpu::Scratch& scratch) {
  const Tensor z = float32(args.x, args.w.dim(1));
  const cpu::Rows rows = frames_of(args.host_lengths, args.x.dim(0));
  cuda::linear(args.x, args.w, args.bias, false, &rows, scratch, z);
  gates_ = Tensor();
  cells_ = Tensor();
  if (!form_.lstm) {
    return cuda::simple_rnn_forward({z, args.w_re, args.lengths, args.h0, args.y, args.last_h}, form_.direction,
                                    scratch);
  }
  if (args.for_gradients) {
    gates_ = z;
    cells_ = float32(args.x, args.w_re.dim(0));
  }
  cuda::lstm_forward({z, args.w_re, args.lengths, args.c0, args.h0, args.y, args.last_h, args.last_c, gates_, cells_},
                     options_of(form_), scratch);
}

void OwnRnnLayer::backward(const RnnBackward& args, const cpu::Scratch& scratch) {
  const Tensor dw_re = args.dw_re.defined() ? args.dw_re : scratch(args.w_re.shape());
  const Tensor dz = form_.lstm ? gates_ : float32(args.x, args.w.dim(1));
  if (form_.lstm) {
    cuda::lstm_backward({args.dy, args.d_last_h, args.d_last_c, gates_, cells_, args.y, args.w_re, args.lengths,
                         args.c0, args.h0, dz, dw_re, args.dc0, args.dh0},
                        options_of(form_), scratch);
  } else {
    cuda::simple_rnn_backward({args.dy, args.d_last_h, args.y, args.w_re, args.lengths, args.h0, dz, dw_re, args.dh0},
                              form_.direction, scratch);
  }
  const cpu::Rows rows = frames_of(args.host_lengths, args.x.dim(0));
  if (args.dx.defined()) cuda::linear(dz, args.w, Tensor(), true, &rows, scratch, args.dx);
  if (args.dw.defined() || args.dbias.defined()) {
    cuda::linear_weight_grad(args.x, dz, &rows, scratch, args.dw.defined() ? args.dw : scratch(args.w.shape()),
                             args.dbias);
  }
}

}  // namespace wende::cuda

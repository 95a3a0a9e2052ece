// cudasim: cuDNN's descriptors and calls for recurrent networks: one layer, one direction, LSTM and tanh units,
// float32, padded sequences. What the calls compute stands in cudnn_rnn.cpp.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "cudnn_rnn.hpp"

struct cudnnContext {
  cudaStream_t stream = nullptr;
};
struct cudnnTensorStruct {
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::vector<int> dim, stride;
};
struct cudnnDropoutStruct {
  float p = -1;
};
struct cudnnRNNStruct : cudasim::Rnn {};
struct cudnnRNNDataStruct : cudasim::RnnData {};

namespace {
using namespace cudasim;
constexpr auto kBad = CUDNN_STATUS_BAD_PARAM;

bool usable(const Rnn& r, const RnnData& x, const RnnData& y) {
  if (!r.set || x.width != r.in || y.width != r.hidden || x.length != y.length || x.times != y.times) return false;
  return r.padded_io || std::all_of(x.length.begin(), x.length.end(), [&](int n) { return n == x.times; });
}
bool state_fits(const Rnn& r, const RnnData& x, cudnnTensorDescriptor_t d) {
  return d && d->type == CUDNN_DATA_FLOAT && d->dim == std::vector<int>{1, x.batch, r.hidden} &&
         d->stride == std::vector<int>{x.batch * r.hidden, r.hidden, 1};
}
// From 8.9.1 on devSeqLengths should be null: the library has the lengths of the descriptors.
bool no_lengths(const char* who, const int32_t* on_device) {
  if (!on_device) return true;
  report("cudnn-lengths", std::string(who) + ": devSeqLengths should be null");
  return false;
}
struct Touch {
  const void* p;
  std::size_t bytes;
  bool write;
};
bool touch(const char* who, std::initializer_list<Touch> all) {
  for (const Touch& t : all)
    if (t.p && !lib_access(who, t.p, t.bytes, t.write)) return false;
  return true;
}
cudnnStatus_t done() { return sticky() == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED; }
template <class T>
cudnnStatus_t make(T** p) {
  *p = new T;
  return CUDNN_STATUS_SUCCESS;
}
template <class T>
cudnnStatus_t drop(T* p) {
  delete p;
  return CUDNN_STATUS_SUCCESS;
}
}  // namespace

extern "C" {
cudnnStatus_t cudnnCreate(cudnnHandle_t* h) { return make(h); }
cudnnStatus_t cudnnDestroy(cudnnHandle_t h) { return drop(h); }
cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t s) {
  h->stream = s;
  return CUDNN_STATUS_SUCCESS;
}
size_t cudnnGetVersion() { return CUDNN_VERSION; }
const char* cudnnGetErrorString(cudnnStatus_t s) {
  static char text[40];
  std::snprintf(text, sizeof text, "cudnn status %d (emulated)", int(s));
  return text;
}
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* d) { return make(d); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t d) { return drop(d); }
cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t d, cudnnDataType_t t, int n, const int dim[],
                                         const int stride[]) {
  if (n < 3 || n > CUDNN_DIM_MAX) return kBad;
  d->type = t;
  d->dim.assign(dim, dim + n);
  d->stride.assign(stride, stride + n);
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetTensorNdDescriptor(cudnnTensorDescriptor_t d, int want, cudnnDataType_t* t, int* n, int dim[],
                                         int stride[]) {
  *t = d->type;
  *n = int(d->dim.size());
  for (int i = 0; i < want && i < *n; ++i) {
    dim[i] = d->dim[i];
    stride[i] = d->stride[i];
  }
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateDropoutDescriptor(cudnnDropoutDescriptor_t* d) { return make(d); }
cudnnStatus_t cudnnDestroyDropoutDescriptor(cudnnDropoutDescriptor_t d) { return drop(d); }
cudnnStatus_t cudnnSetDropoutDescriptor(cudnnDropoutDescriptor_t d, cudnnHandle_t, float p, void*, size_t,
                                        unsigned long long) {
  d->p = p;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateRNNDescriptor(cudnnRNNDescriptor_t* d) { return make(d); }
cudnnStatus_t cudnnDestroyRNNDescriptor(cudnnRNNDescriptor_t d) { return drop(d); }
cudnnStatus_t cudnnSetRNNDescriptor_v8(cudnnRNNDescriptor_t d, cudnnRNNAlgo_t, cudnnRNNMode_t mode,
                                       cudnnRNNBiasMode_t bias, cudnnDirectionMode_t direction,
                                       cudnnRNNInputMode_t input, cudnnDataType_t data, cudnnDataType_t precision,
                                       cudnnMathType_t, int32_t in, int32_t hidden, int32_t projection, int32_t layers,
                                       cudnnDropoutDescriptor_t dropout, uint32_t aux) {
  if ((mode != CUDNN_LSTM && mode != CUDNN_RNN_TANH) || bias != CUDNN_RNN_SINGLE_INP_BIAS ||
      direction != CUDNN_UNIDIRECTIONAL || input != CUDNN_LINEAR_INPUT || data != CUDNN_DATA_FLOAT ||
      precision != CUDNN_DATA_FLOAT || layers != 1 || (dropout && dropout->p != 0))
    return CUDNN_STATUS_NOT_SUPPORTED;
  if (in < 1 || hidden < 1 || projection != hidden) return kBad;
  static_cast<Rnn&>(*d) = {true, mode == CUDNN_LSTM, in, hidden, (aux & CUDNN_RNN_PADDED_IO_ENABLED) != 0};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightSpaceSize(cudnnHandle_t, cudnnRNNDescriptor_t d, size_t* n) {
  *n = d->weights() * 4;
  return d->set ? CUDNN_STATUS_SUCCESS : kBad;
}
cudnnStatus_t cudnnGetRNNTempSpaceSizes(cudnnHandle_t, cudnnRNNDescriptor_t d, cudnnForwardMode_t mode,
                                        cudnnRNNDataDescriptor_t x, size_t* work, size_t* reserve) {
  if (!d->set || x->batch < 1) return kBad;
  if (work) *work = Reserve::floats(*d, *x) * 4;
  if (reserve) *reserve = mode == CUDNN_FWD_MODE_TRAINING ? Reserve::floats(*d, *x) * 4 : 0;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetRNNWeightParams(cudnnHandle_t, cudnnRNNDescriptor_t d, int32_t layer, size_t bytes, const void* w,
                                      int32_t lin, cudnnTensorDescriptor_t md, void** ma, cudnnTensorDescriptor_t bd,
                                      void** ba) {
  const int gates = d->gates();
  if (!d->set || layer != 0 || lin < 0 || lin >= 2 * gates || bytes < d->weights() * 4) return kBad;
  const int columns = lin < gates ? d->in : d->hidden;
  md->dim = {1, d->hidden, columns};
  md->stride = {d->hidden * columns, columns, 1};
  *ma = (float*)w + d->matrix(lin);
  if (lin < gates) {
    bd->dim = {1, d->hidden, 1};
    bd->stride = {d->hidden, 1, 1};
    *ba = (float*)w + d->bias(lin);
  } else {
    bd->dim.clear();
    bd->stride.clear();
    *ba = nullptr;
  }
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateRNNDataDescriptor(cudnnRNNDataDescriptor_t* d) { return make(d); }
cudnnStatus_t cudnnDestroyRNNDataDescriptor(cudnnRNNDataDescriptor_t d) { return drop(d); }
// The real library refuses sequences of length 0 in some calls and fails later in others: here all of them are refused.
cudnnStatus_t cudnnSetRNNDataDescriptor(cudnnRNNDataDescriptor_t d, cudnnDataType_t type, cudnnRNNDataLayout_t layout,
                                        int times, int batch, int width, const int lengths[], void* fill) {
  if (type != CUDNN_DATA_FLOAT || layout != CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED) return CUDNN_STATUS_NOT_SUPPORTED;
  if (in_arena(lengths)) {
    report("host-pointer", "seqLengthArray must be host memory", __builtin_return_address(0));
    return kBad;
  }
  if (times < 1 || batch < 1 || width < 1) return kBad;
  if (times > 65535) return CUDNN_STATUS_NOT_SUPPORTED;
  for (int b = 0; b < batch; ++b)
    if (lengths[b] < 1 || lengths[b] > times) return kBad;
  static_cast<RnnData&>(*d) = {
      times, batch, width, std::vector<int>(lengths, lengths + batch), fill != nullptr, fill ? *(float*)fill : 0.f};
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnRNNForward(cudnnHandle_t h, cudnnRNNDescriptor_t rd, cudnnForwardMode_t mode, const int32_t* lengths,
                              cudnnRNNDataDescriptor_t xd, const void* x, cudnnRNNDataDescriptor_t yd, void* y,
                              cudnnTensorDescriptor_t hd, const void* hx, void* hy, cudnnTensorDescriptor_t cd,
                              const void* cx, void* cy, size_t weight_bytes, const void* w, size_t work_bytes,
                              void* work, size_t reserve_bytes, void* reserve) {
  const bool train = mode == CUDNN_FWD_MODE_TRAINING;
  const std::size_t need = Reserve::floats(*rd, *xd) * 4, state = std::size_t(xd->batch) * rd->hidden * 4;
  if (!usable(*rd, *xd, *yd) || !state_fits(*rd, *xd, hd) || (rd->lstm && !state_fits(*rd, *xd, cd)) ||
      weight_bytes < rd->weights() * 4 || work_bytes < need || !work || (train && (reserve_bytes < need || !reserve)))
    return kBad;
  const Rnn r = *rd;  // descriptors may change after the call
  const RnnData xv = *xd, yv = *yd;
  enqueue(h->stream, "cudnnRNNForward", [=] {
    const char* who = "cudnnRNNForward";
    float* store = (float*)(train ? reserve : work);
    if (!no_lengths(who, lengths) || !touch(who, {{x, xv.floats() * 4, false},
                                                  {w, r.weights() * 4, false},
                                                  {y, yv.floats() * 4, true},
                                                  {work, work_bytes, true},
                                                  {store, need, true},
                                                  {hx, state, false},
                                                  {cx, state, false},
                                                  {hy, state, true},
                                                  {cy, state, true}}))
      return;
    std::memset(work, 0xff, work_bytes);
    rnn_forward(r, xv, (const float*)x, yv, (float*)y, (const float*)hx, (float*)hy, (const float*)cx, (float*)cy,
                (const float*)w, {r, xv, store});
  });
  return done();
}
cudnnStatus_t cudnnRNNBackwardData_v8(cudnnHandle_t h, cudnnRNNDescriptor_t rd, const int32_t* lengths,
                                      cudnnRNNDataDescriptor_t yd, const void* y, const void* dy,
                                      cudnnRNNDataDescriptor_t xd, void* dx, cudnnTensorDescriptor_t hd, const void* hx,
                                      const void* dhy, void* dhx, cudnnTensorDescriptor_t cd, const void* cx,
                                      const void* dcy, void* dcx, size_t weight_bytes, const void* w, size_t work_bytes,
                                      void* work, size_t reserve_bytes, void* reserve) {
  const std::size_t need = Reserve::floats(*rd, *xd) * 4, state = std::size_t(xd->batch) * rd->hidden * 4;
  if (!usable(*rd, *xd, *yd) || !state_fits(*rd, *xd, hd) || (rd->lstm && !state_fits(*rd, *xd, cd)) || !dy || !dx ||
      weight_bytes < rd->weights() * 4 || work_bytes < need || !work || reserve_bytes < need || !reserve)
    return kBad;
  const Rnn r = *rd;
  const RnnData xv = *xd, yv = *yd;
  enqueue(h->stream, "cudnnRNNBackwardData_v8", [=] {
    const char* who = "cudnnRNNBackwardData_v8";
    if (!no_lengths(who, lengths) || !touch(who, {{y, yv.floats() * 4, false},
                                                  {dy, yv.floats() * 4, false},
                                                  {w, r.weights() * 4, false},
                                                  {reserve, need, true},
                                                  {work, work_bytes, true},
                                                  {dx, xv.floats() * 4, true},
                                                  {hx, state, false},
                                                  {cx, state, false},
                                                  {dhy, state, false},
                                                  {dcy, state, false},
                                                  {dhx, state, true},
                                                  {dcx, state, true}}))
      return;
    std::memset(work, 0xff, work_bytes);
    rnn_backward_data(r, yv, (const float*)dy, xv, (float*)dx, (const float*)hx, (const float*)dhy, (float*)dhx,
                      (const float*)cx, (const float*)dcy, (float*)dcx, (const float*)w, {r, xv, (float*)reserve});
  });
  return done();
}
cudnnStatus_t cudnnRNNBackwardWeights_v8(cudnnHandle_t h, cudnnRNNDescriptor_t rd, cudnnWgradMode_t add,
                                         const int32_t* lengths, cudnnRNNDataDescriptor_t xd, const void* x,
                                         cudnnTensorDescriptor_t hd, const void* hx, cudnnRNNDataDescriptor_t yd,
                                         const void* y, size_t weight_bytes, void* dw, size_t work_bytes, void* work,
                                         size_t reserve_bytes, void* reserve) {
  const std::size_t need = Reserve::floats(*rd, *xd) * 4, state = std::size_t(xd->batch) * rd->hidden * 4;
  if (add != CUDNN_WGRAD_MODE_ADD) return CUDNN_STATUS_NOT_SUPPORTED;  // as the real library
  if (!usable(*rd, *xd, *yd) || !state_fits(*rd, *xd, hd) || weight_bytes < rd->weights() * 4 || work_bytes < need ||
      !work || reserve_bytes < need || !reserve)
    return kBad;
  const Rnn r = *rd;
  const RnnData xv = *xd, yv = *yd;
  enqueue(h->stream, "cudnnRNNBackwardWeights_v8", [=] {
    const char* who = "cudnnRNNBackwardWeights_v8";
    if (!no_lengths(who, lengths) || !touch(who, {{x, xv.floats() * 4, false},
                                                  {y, yv.floats() * 4, false},
                                                  {reserve, need, false},
                                                  {work, work_bytes, true},
                                                  {dw, r.weights() * 4, true},
                                                  {hx, state, false}}))
      return;
    std::memset(work, 0xff, work_bytes);
    rnn_backward_weights(r, xv, (const float*)x, (const float*)hx, (const float*)y, (float*)dw,
                         {r, xv, (float*)reserve});
  });
  return done();
}
}

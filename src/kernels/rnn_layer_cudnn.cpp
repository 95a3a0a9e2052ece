#include <cudnn.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "device/cuda_check.cuh"
#include "device/product_precision.h"
#include "device/side_stream_cuda.h"
#include "kernels/rnn_layer.h"
#include "kernels/rnn_layer_cuda.cuh"
#include "kernels/rnn_layer_own_cuda.h"
#include "kernels/rnn_library.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

void check_library(cudnnStatus_t status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS) {
    throw internal_error(fmt::format("cuDNN: {} in {}", cudnnGetErrorString(status), call));
  }
}
#define WENDE_CUDNN_CHECK(call) check_library((call), #call)

/// One per stream, never destroyed.
cudnnHandle_t handle() {
  static auto* const handles = new std::map<cudaStream_t, cudnnHandle_t>;
  cudnnHandle_t& found = (*handles)[stream()];
  if (found == nullptr) {
    // cuDNN's recurrent networks use several streams inside: without this their sums may differ from run to run.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    WENDE_CUDNN_CHECK(cudnnCreate(&found));
    WENDE_CUDNN_CHECK(cudnnSetStream(found, stream()));
  }
  return found;
}

/// A descriptor with its end.
template <class T, cudnnStatus_t (*create)(T*), cudnnStatus_t (*destroy)(T)>
class Descriptor {
 public:
  Descriptor() { check_library(create(&value_), "creation of a descriptor"); }
  ~Descriptor() { destroy(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator T() const { return value_; }

 private:
  T value_ = nullptr;
};
using TensorDescriptor = Descriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using RnnDescriptor = Descriptor<cudnnRNNDescriptor_t, cudnnCreateRNNDescriptor, cudnnDestroyRNNDescriptor>;
using DataDescriptor =
    Descriptor<cudnnRNNDataDescriptor_t, cudnnCreateRNNDataDescriptor, cudnnDestroyRNNDataDescriptor>;
using DropoutDescriptor =
    Descriptor<cudnnDropoutDescriptor_t, cudnnCreateDropoutDescriptor, cudnnDestroyDropoutDescriptor>;

/// Most frames of a batch: of more it says that they are not supported.
constexpr int64_t kMostFrames = 65535;

bool library_takes(const std::vector<int32_t>& lengths, int64_t frames) {
  const auto has_frames = [](int32_t length) { return length > 0; };
  return !lengths.empty() && frames <= kMostFrames && std::all_of(lengths.begin(), lengths.end(), has_frames);
}

bool has_padding(const std::vector<int32_t>& lengths, int64_t frames) {
  return std::any_of(lengths.begin(), lengths.end(), [frames](int32_t length) { return length < frames; });
}

/// Since 8.9.1 the library wants no second copy of the lengths on the device: it takes those of the descriptors.
constexpr const int32_t* kLengthsOfDescriptors = nullptr;

bool has_gpu() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

size_t with_room(size_t bytes) { return bytes + bytes / 8; }

Shape floats(size_t bytes) { return Shape{static_cast<int64_t>((bytes + sizeof(float) - 1) / sizeof(float))}; }

/// Working memory that begins where a block of cudaMalloc might: what the library asks of its spaces is not documented.
Tensor aligned_scratch(size_t bytes, const cpu::Scratch& scratch) {
  constexpr size_t kAlignment = 256;
  const Tensor block = scratch(floats(bytes + kAlignment));
  const size_t beyond = reinterpret_cast<uintptr_t>(block.raw()) % kAlignment;
  return Tensor::wrap(DType::kFloat32, floats(bytes), block.raw() + (beyond == 0 ? 0 : kAlignment - beyond), nullptr,
                      block.device());
}

/// Device memory that stays, and grows with some room to spare.
void reserve(Tensor& memory, size_t bytes, Device device) {
  if (memory.defined() && memory.bytes() >= bytes) return;
  memory = Tensor();
  memory = Tensor::empty(DType::kFloat32, floats(with_room(bytes)), device);
}

}  // namespace

class RnnLayer::Impl {
 public:
  explicit Impl(const RnnForm& form) : form_(form), own_(form) {}

  void forward(const RnnForward& args, const cpu::Scratch& scratch) {
    own_ran_ = !library_takes(args.host_lengths, args.x.dim(0));
    if (own_ran_) return own_.forward(args, scratch);
    describe(args.x.shape(), args.w_re.dim(0), args.host_lengths);
    write_weights(args);
    const cudnnForwardMode_t mode = args.for_gradients ? CUDNN_FWD_MODE_TRAINING : CUDNN_FWD_MODE_INFERENCE;
    size_t reserve_bytes = 0;
    const Tensor work = workspace(mode, reserve_bytes, scratch);
    if (args.for_gradients) reserve(reserve_, reserve_bytes, args.x.device());
    const Tensor x = in_running_order(args.x, args.lengths, scratch);
    const Tensor y = form_.direction > 0 ? args.y : scratch(args.y.shape());
    WENDE_CUDNN_CHECK(cudnnRNNForward(
        handle(), rnn_, mode, kLengthsOfDescriptors, x_form_, device_data<float>(x), y_form_, device_data<float>(y),
        state_form_, device_data_or_null<float>(args.h0), device_data_or_null<float>(args.last_h), state_form_,
        device_data_or_null<float>(args.c0), device_data_or_null<float>(args.last_c), weight_bytes_,
        device_data<float>(weights_), work.bytes(), device_data<float>(work), reserve_bytes,
        args.for_gradients ? device_data<float>(reserve_) : nullptr));
    after_launch();
    if (form_.direction < 0) reverse_frames(y, args.lengths, args.y);
  }

  void backward(const RnnBackward& args, const cpu::Scratch& scratch) {
    if (own_ran_) return own_.backward(args, scratch);
    describe(args.x.shape(), args.w_re.dim(0), args.host_lengths);
    size_t reserve_bytes = 0;
    const Tensor work = workspace(CUDNN_FWD_MODE_TRAINING, reserve_bytes, scratch);
    const Tensor y = in_running_order(args.y, args.lengths, scratch);
    run_backward_data(args, y, work, reserve_bytes, scratch);
    if (!args.dw.defined() && !args.dw_re.defined() && !args.dbias.defined()) return;
    const Tensor x = in_running_order(args.x, args.lengths, scratch);
    const Tensor grads = aligned_scratch(weight_bytes_, scratch);
    clear(grads);  // the library adds to what is there
    WENDE_CUDNN_CHECK(cudnnRNNBackwardWeights_v8(
        handle(), rnn_, CUDNN_WGRAD_MODE_ADD, kLengthsOfDescriptors, x_form_, device_data<float>(x), state_form_,
        device_data_or_null<float>(args.h0), y_form_, device_data<float>(y), weight_bytes_, device_data<float>(grads),
        work.bytes(), device_data<float>(work), reserve_bytes, device_data<float>(reserve_)));
    after_launch();
    read_weight_grads(args, grads);
  }

  size_t kept(int64_t times, int64_t batch, int64_t k, int64_t n) {
    const auto frames = static_cast<size_t>(times * batch);
    size_t reserve_bytes = frames * static_cast<size_t>(2 * gates() + 2) * static_cast<size_t>(n) * sizeof(float);
    size_t weight_bytes = static_cast<size_t>(gates() * n * (k + n + 1)) * sizeof(float);
    const std::vector<int32_t> lengths(static_cast<size_t>(batch), static_cast<int32_t>(times));
    if (has_gpu() && library_takes(lengths, times)) {
      describe(Shape{times, batch, k}, n, lengths);
      size_t work_bytes = 0;
      WENDE_CUDNN_CHECK(
          cudnnGetRNNTempSpaceSizes(handle(), rnn_, CUDNN_FWD_MODE_TRAINING, x_form_, &work_bytes, &reserve_bytes));
      weight_bytes = weight_bytes_;
    }
    return with_room(reserve_bytes) + with_room(weight_bytes);
  }

 private:
  int64_t gates() const { return form_.lstm ? 4 : 1; }

  /// Where the library's gates i, f, j, o stand in our blocks.
  int64_t block_of(int64_t gate) const {
    if (!form_.lstm) return 0;
    const int64_t native[] = {1, 2, 0, 3};
    const int64_t tf[] = {0, 2, 1, 3};
    return form_.tf_order ? tf[gate] : native[gate];
  }

  void describe(const Shape& x, int64_t n, const std::vector<int32_t>& lengths) {
    const auto batch = static_cast<int>(x[1]);
    if (n_ == 0) describe_layer(x[2], n);
    // cuDNN reads a direction of its own only together with the other one: a layer that runs backwards gets reversed
    // sequences.
    for (const auto& [form, width] : {std::pair<cudnnRNNDataDescriptor_t, int64_t>(x_form_, k_), {y_form_, n_}}) {
      WENDE_CUDNN_CHECK(cudnnSetRNNDataDescriptor(form, CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_UNPACKED,
                                                  static_cast<int>(x[0]), batch, static_cast<int>(width),
                                                  lengths.data(), &padding_));
    }
    const int width = static_cast<int>(n_);
    const int dims[] = {1, batch, width};
    const int strides[] = {batch * width, width, 1};
    WENDE_CUDNN_CHECK(cudnnSetTensorNdDescriptor(state_form_, CUDNN_DATA_FLOAT, 3, dims, strides));
  }

  void describe_layer(int64_t k, int64_t n) {
    k_ = k;
    n_ = n;
    WENDE_CUDNN_CHECK(cudnnSetDropoutDescriptor(no_dropout_, handle(), 0.0f, nullptr, 0, 0));
    // The default math may round to TF32. Its other mode rounds to float16, which is no bf16: that option gets TF32
    // too.
    const bool exact = product_precision() == ProductPrecision::kFloat32;
    const auto width = static_cast<int32_t>(n_);
    WENDE_CUDNN_CHECK(cudnnSetRNNDescriptor_v8(rnn_, CUDNN_RNN_ALGO_STANDARD, form_.lstm ? CUDNN_LSTM : CUDNN_RNN_TANH,
                                               CUDNN_RNN_SINGLE_INP_BIAS, CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT,
                                               CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT,
                                               exact ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH, static_cast<int32_t>(k_),
                                               width, width, 1, no_dropout_, CUDNN_RNN_PADDED_IO_ENABLED));
    WENDE_CUDNN_CHECK(cudnnGetRNNWeightSpaceSize(handle(), rnn_, &weight_bytes_));
  }

  Tensor workspace(cudnnForwardMode_t mode, size_t& reserve_bytes, const cpu::Scratch& scratch) const {
    size_t bytes = 0;
    WENDE_CUDNN_CHECK(cudnnGetRNNTempSpaceSizes(handle(), rnn_, mode, x_form_, &bytes, &reserve_bytes));
    return aligned_scratch(std::max<size_t>(bytes, 1), scratch);
  }

  Tensor in_running_order(const Tensor& frames, const Tensor& lengths, const cpu::Scratch& scratch) const {
    if (form_.direction > 0) return frames;
    const Tensor reversed = scratch(frames.shape());
    reverse_frames(frames, lengths, reversed);
    return reversed;
  }

  void run_backward_data(const RnnBackward& args, const Tensor& y, const Tensor& work, size_t reserve_bytes,
                         const cpu::Scratch& scratch) {
    Tensor dy = args.dy;
    if (dy.defined()) {
      dy = in_running_order(dy, args.lengths, scratch);
    } else {
      dy = scratch(args.y.shape());
      clear(dy);
    }
    const bool in_place = args.dx.defined() && form_.direction > 0;
    const Tensor dx = in_place ? args.dx : scratch(args.x.shape());
    WENDE_CUDNN_CHECK(cudnnRNNBackwardData_v8(
        handle(), rnn_, kLengthsOfDescriptors, y_form_, device_data<float>(y), device_data<float>(dy), x_form_,
        device_data<float>(dx), state_form_, device_data_or_null<float>(args.h0),
        device_data_or_null<float>(args.d_last_h), device_data_or_null<float>(args.dh0), state_form_,
        device_data_or_null<float>(args.c0), device_data_or_null<float>(args.d_last_c),
        device_data_or_null<float>(args.dc0), weight_bytes_, device_data<float>(weights_), work.bytes(),
        device_data<float>(work), reserve_bytes, device_data<float>(reserve_)));
    after_launch();
    // What the library writes to padding is documented for y alone.
    if (in_place && has_padding(args.host_lengths, dx.dim(0))) clear_padding(dx, args.lengths);
    if (args.dx.defined() && !in_place) reverse_frames(dx, args.lengths, args.dx);
  }

  /// Where a gate's matrix [n,columns] and its bias [n] (input matrices only) stand in a weight space, in floats.
  struct Place {
    int64_t matrix = 0;
    int64_t bias = 0;
  };
  Place find_place(int64_t matrix, int64_t columns) const {
    void* matrix_at = nullptr;
    void* bias_at = nullptr;
    const TensorDescriptor matrix_form;
    const TensorDescriptor bias_form;
    float* const space = device_data<float>(weights_);
    WENDE_CUDNN_CHECK(cudnnGetRNNWeightParams(handle(), rnn_, 0, weight_bytes_, space, static_cast<int32_t>(matrix),
                                              matrix_form, &matrix_at, bias_form, &bias_at));
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    int rank = 0;
    int dims[3] = {};
    int strides[3] = {};
    WENDE_CUDNN_CHECK(cudnnGetTensorNdDescriptor(matrix_form, 3, &type, &rank, dims, strides));
    const bool has_bias = bias_at != nullptr || matrix >= gates();
    if (matrix_at == nullptr || !has_bias || rank != 3 || dims[1] != n_ || dims[2] != columns ||
        strides[1] != columns) {
      throw internal_error("cuDNN keeps the weights of a recurrent layer in an unknown layout");
    }
    return {static_cast<float*>(matrix_at) - space, bias_at == nullptr ? 0 : static_cast<float*>(bias_at) - space};
  }

  void write_weights(const RnnForward& args) {
    if (!weights_.defined()) {
      reserve(weights_, weight_bytes_, args.x.device());
      clear(weights_);
      for (int64_t i = 0; i < 2 * gates(); ++i) places_.push_back(find_place(i, i < gates() ? k_ : n_));
    }
    std::vector<TransposedCopy> copies;
    float* const space = device_data<float>(weights_);
    for (int64_t gate = 0; gate < gates(); ++gate) {
      const int64_t at = block_of(gate) * n_;
      const int64_t stride = gates() * n_;
      const Place& input = places_[static_cast<size_t>(gate)];
      const Place& recurrent = places_[static_cast<size_t>(gates() + gate)];
      const float plus = form_.lstm && gate == 1 ? form_.forget_bias : 0.0f;
      copies.push_back({device_data<float>(args.w) + at, stride, space + input.matrix, k_, k_, n_});
      copies.push_back({device_data<float>(args.w_re) + at, stride, space + recurrent.matrix, n_, n_, n_});
      copies.push_back({device_data<float>(args.bias) + at, n_, space + input.bias, 1, 1, n_, plus});
    }
    copy_transposed(copies);
  }

  void read_weight_grads(const RnnBackward& args, const Tensor& grads) const {
    std::vector<TransposedCopy> copies;
    const float* const space = device_data<float>(grads);
    for (int64_t gate = 0; gate < gates(); ++gate) {
      const int64_t at = block_of(gate) * n_;
      const int64_t stride = gates() * n_;
      const Place& input = places_[static_cast<size_t>(gate)];
      const Place& recurrent = places_[static_cast<size_t>(gates() + gate)];
      if (args.dw.defined())
        copies.push_back({space + input.matrix, k_, device_data<float>(args.dw) + at, stride, n_, k_});
      if (args.dw_re.defined()) {
        copies.push_back({space + recurrent.matrix, n_, device_data<float>(args.dw_re) + at, stride, n_, n_});
      }
      if (args.dbias.defined())
        copies.push_back({space + input.bias, n_, device_data<float>(args.dbias) + at, 1, 1, n_});
    }
    copy_transposed(copies);
  }

  const RnnForm form_;
  OwnRnnLayer own_;
  bool own_ran_ = false;
  int64_t k_ = 0;
  int64_t n_ = 0;
  RnnDescriptor rnn_;
  DropoutDescriptor no_dropout_;
  DataDescriptor x_form_, y_form_;
  TensorDescriptor state_form_;
  float padding_ = 0.0f;
  size_t weight_bytes_ = 0;
  std::vector<Place> places_;  ///< of the input matrices, then the recurrent ones
  Tensor weights_;             ///< in the library's layout, of the last forward pass
  Tensor reserve_;             ///< what the library keeps for gradients
};

bool has_rnn_library() {
  static const bool kSwitchedOff = std::getenv("WENDE_NO_CUDNN") != nullptr;
  return !kSwitchedOff;
}

std::string rnn_library_text() {
  const size_t version = cudnnGetVersion();
  return fmt::format(", cuDNN {}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

size_t RnnLayer::kept_bytes(int64_t times, int64_t batch, int64_t k, int64_t n) {
  return impl_->kept(times, batch, k, n);
}

RnnLayer::RnnLayer(const RnnForm& form) : impl_(std::make_unique<Impl>(form)) {}
RnnLayer::~RnnLayer() = default;
void RnnLayer::forward(const RnnForward& args, const cpu::Scratch& scratch) { impl_->forward(args, scratch); }
void RnnLayer::backward(const RnnBackward& args, const cpu::Scratch& scratch) { impl_->backward(args, scratch); }
bool RnnLayer::runs_beside(const std::vector<int32_t>& lengths, int64_t frames) {
  return library_takes(lengths, frames);
}
bool RnnLayer::knows_kept_bytes() { return has_gpu(); }

void run_rnn_layers(const std::function<void()>& first, const std::function<void()>& second) {
  run_both(first, second);
}

}  // namespace wende::cuda

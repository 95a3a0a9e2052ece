// Kernels of the GPU: time, GB/s or TFLOP/s, and the share of what the card reached here with a plain copy or its best
// product.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "device/choose_device.h"
#include "device/memory.h"
#include "device/philox.h"
#include "device/product_precision.h"
#include "kernels/cross_entropy.h"
#include "kernels/dropout.h"
#include "kernels/gather.h"
#include "kernels/gemm.h"
#include "kernels/linear_cross_entropy.h"
#include "kernels/lstm.h"
#include "kernels/matmul.h"
#include "kernels/pointwise.h"
#include "kernels/reduce.h"
#include "kernels/rnn_layer.h"
#include "kernels/softmax.h"
#include "kernels/top_k.h"
#include "tensor/placement.h"

namespace {

using namespace wende;
using Call = std::function<void()>;

class Bench {
 public:
  explicit Bench(int64_t shrink) : shrink_(shrink), device_(choose_device("gpu")) {
    fmt::print("{}\n\n| kernel | µs | GB/s | TFLOP/s | share |\n| --- | --- | --- | --- | --- |\n",
               device_text(device_));
  }

  /// At least one: sizes of a dry run.
  int64_t small(int64_t size) const { return std::max<int64_t>(size / shrink_, 1); }
  Device device() const { return device_; }

  Tensor random(Shape shape) const {
    const Tensor tensor = Tensor::empty(DType::kFloat32, shape, device_);
    cuda::random_uniform(Philox{1, 2, 3, 4}, -0.1, 0.1, tensor, {});
    return tensor;
  }
  Tensor labels(int64_t count, int64_t classes) const {
    std::vector<int32_t> values(static_cast<size_t>(count));
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<int32_t>(static_cast<int64_t>(i) * 7919 % classes);
    return on(device_, Tensor::of<int32_t>(values, Shape{count}));
  }
  cpu::Scratch scratch() const {
    return [device = device_](Shape shape) { return Tensor::empty(DType::kFloat32, shape, device); };
  }

  /// bytes: what must be read and written at least.
  void memory(const std::string& name, int64_t bytes, const Call& call) {
    const double seconds = time(call);
    const double rate = static_cast<double>(bytes) / seconds;
    copy_rate_ = copy_rate_ == 0 ? rate : copy_rate_;  // the first row is the copy
    fmt::print("| {} | {:.1f} | {:.0f} | | {:.0f} % |\n", name, seconds * 1e6, rate * 1e-9, 100 * rate / copy_rate_);
    std::fflush(stdout);
  }
  void product(const std::string& name, int64_t multiplications, const Call& call, bool is_peak = false) {
    const double seconds = time(call);
    const double rate = 2.0 * static_cast<double>(multiplications) / seconds;
    if (is_peak) product_rate_ = rate;
    fmt::print("| {} | {:.1f} | | {:.1f} | {:.0f} % |\n", name, seconds * 1e6, rate * 1e-12,
               100 * rate / product_rate_);
    std::fflush(stdout);
  }

 private:
  double now() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  /// Mean over calls that follow one another without waiting.
  double time(const Call& call) const {
    call();
    synchronize(device_);
    int count = 1;
    while (true) {
      const double start = now();
      for (int i = 0; i < count; ++i) call();
      synchronize(device_);
      const double seconds = now() - start;
      if (seconds > 0.03 || shrink_ > 1) return seconds / count;
      count *= 4;
    }
  }

  int64_t shrink_;
  Device device_;
  double copy_rate_ = 0;
  double product_rate_ = 1;
};

void products(Bench& bench, const std::string& precision) {
  set_product_precision(product_precision_of(precision));
  const int64_t big = bench.small(8192);
  struct Form {
    int64_t m, n, k;
    bool ta, tb;
  };
  std::vector<Form> forms{{big, big, big, false, false}};
  const int64_t rows = bench.small(8000);
  const int64_t classes = bench.small(4501);
  const int64_t n = bench.small(500);
  forms.insert(forms.end(), {{rows, 4 * n, n, false, false},
                             {rows, classes, n, false, false},
                             {rows, n, classes, false, true},
                             {n, classes, rows, true, false},
                             {bench.small(40), 4 * n, n, false, false}});
  for (size_t i = 0; i < forms.size(); ++i) {
    const Form& f = forms[i];
    const Tensor a = bench.random(Shape{f.m, f.k});
    const Tensor b = bench.random(Shape{f.k, f.n});
    const Tensor c = bench.random(Shape{f.m, f.n});
    bench.product(
        fmt::format("{} product {}x{}x{}{}{}", precision, f.m, f.n, f.k, f.ta ? " A'" : "", f.tb ? " B'" : ""),
        f.m * f.n * f.k,
        [&] {
          cuda::gemm(f.ta, f.tb, f.m, f.n, f.k, 1.0f, device_data<float>(a), f.ta ? f.m : f.k, device_data<float>(b),
                     f.tb ? f.k : f.n, 0.0f, device_data<float>(c), f.n);
        },
        i == 0);
  }
  const Tensor x = bench.random(Shape{rows, n});
  const Tensor w = bench.random(Shape{n, 4 * n});
  const Tensor bias = bench.random(Shape{4 * n});
  const Tensor y = bench.random(Shape{rows, 4 * n});
  bench.product(precision + " linear with bias and relu", rows * 4 * n * n,
                [&] { cuda::linear_relu(x, w, bias, false, nullptr, bench.scratch(), y); });
  bench.product(precision + " weight gradient with bias", rows * 4 * n * n,
                [&] { cuda::linear_weight_grad(x, y, nullptr, bench.scratch(), w, bias); });
  set_product_precision(ProductPrecision::kFloat32);
}

void pointwise(Bench& bench) {
  const int64_t rows = bench.small(64000);
  const int64_t n = bench.small(1000);
  const int64_t bytes = rows * n * 4;
  const Tensor a = bench.random(Shape{rows, n});
  const Tensor b = bench.random(Shape{rows, n});
  const Tensor row = bench.random(Shape{1, n});
  const Tensor out = bench.random(Shape{rows, n});
  bench.memory("copy", 2 * bytes, [&] { out.copy_from(a); });
  bench.memory("relu", 2 * bytes, [&] { cuda::unary(Unary::kRelu, a, out); });
  bench.memory("tanh", 2 * bytes, [&] { cuda::unary(Unary::kTanh, a, out); });
  bench.memory("tanh gradient", 3 * bytes, [&] { cuda::unary_grad(Unary::kTanh, a, b, out); });
  bench.memory("a * b", 3 * bytes, [&] { cuda::binary(Binary::kMul, a, b, out); });
  bench.memory("a + row", 2 * bytes, [&] { cuda::binary(Binary::kAdd, a, row, out); });
  bench.memory("dropout mask", bytes, [&] { cuda::dropout_mask(Philox{1, 2, 3, 4}, 0.9, out, {}); });
  const Tensor columns = bench.random(Shape{n});
  const Tensor sums = bench.random(Shape{rows});
  bench.memory("sum over rows", bytes, [&] { cuda::reduce(Reduction::kSum, a, {0}, columns); });
  bench.memory("sum over columns", bytes, [&] { cuda::reduce(Reduction::kSum, a, {1}, sums); });
  bench.memory("bias gradient", bytes, [&] { cuda::column_sum(a, nullptr, columns); });
  const Tensor indices = bench.labels(rows, rows);
  bench.memory("gather of rows", 2 * bytes, [&] { cuda::gather(a, indices, out); });
}

void softmaxes(Bench& bench) {
  const int64_t rows = bench.small(8000);
  const int64_t classes = bench.small(4501);
  const int64_t n = bench.small(500);
  const int64_t bytes = rows * classes * 4;
  const Tensor x = bench.random(Shape{rows, classes});
  const Tensor y = bench.random(Shape{rows, classes});
  const Tensor dy = bench.random(Shape{rows, classes});
  const Tensor lse = bench.random(Shape{rows});
  const Tensor loss = bench.random(Shape{rows});
  const Tensor labels = bench.labels(rows, classes);
  bench.memory("softmax", 2 * bytes, [&] { cuda::softmax(x, 1, false, y); });
  bench.memory("softmax gradient", 3 * bytes, [&] { cuda::softmax_grad(y, dy, 1, false, x); });
  bench.memory("log-softmax", 2 * bytes, [&] { cuda::softmax(x, 1, true, y); });
  bench.memory("log-softmax gradient", 3 * bytes, [&] { cuda::softmax_grad(y, dy, 1, true, x); });
  for (const int64_t size : {80, 500, 1000, 10000, 30000}) {  // by warps, by blocks, in several parts
    const Shape shape{rows * classes / bench.small(size), bench.small(size)};
    const auto part = [&](const Tensor& of) {
      return of.reshaped(Shape{of.elements()}).sliced(0, 0, shape.elements()).reshaped(shape);
    };
    bench.memory(fmt::format("softmax of {} classes", shape[1]), 2 * 4 * shape.elements(),
                 [&] { cuda::softmax(part(x), 1, false, part(y)); });
  }
  const Shape columns{bench.small(40), bench.small(1000), bench.small(900)};
  const auto as_columns = [&](const Tensor& of) {
    return of.reshaped(Shape{of.elements()}).sliced(0, 0, columns.elements()).reshaped(columns);
  };
  bench.memory("softmax over the second axis", 2 * 4 * columns.elements(),
               [&] { cuda::softmax(as_columns(x), 1, false, as_columns(y)); });
  bench.memory("cross entropy", bytes, [&] { cuda::cross_entropy(x, labels, Tensor(), loss, lse); });
  bench.memory("cross entropy gradient", 2 * bytes,
               [&] { cuda::cross_entropy_grad(x, lse, labels, Tensor(), loss, y); });
  bench.memory("cross entropy of distributions", 2 * bytes, [&] { cuda::cross_entropy_dense(x, dy, loss, lse); });
  bench.memory("its gradient", 3 * bytes, [&] { cuda::cross_entropy_dense_grad(x, lse, dy, loss, y); });
  const Tensor best = bench.labels(rows, classes);
  bench.memory("argmax", bytes, [&] { cuda::arg_extremum(true, x, 1, best); });
  cpu::LinearCrossEntropy layer;
  layer.x = bench.random(Shape{rows, n});
  layer.w = bench.random(Shape{n, classes});
  layer.bias = bench.random(Shape{classes});
  layer.labels = labels;
  layer.dloss = lse;
  layer.loss = loss;
  layer.dx = bench.random(layer.x.shape());
  layer.dw = bench.random(layer.w.shape());
  layer.dbias = bench.random(layer.bias.shape());
  bench.product("softmax layer with loss and gradients", 3 * rows * n * classes,
                [&] { cuda::linear_cross_entropy(layer, bench.scratch()); });
}

/// [T,B,n] with full lengths.
void recurrent(Bench& bench, int64_t batch, int64_t n) {
  const int64_t times = bench.small(200);
  const std::vector<int32_t> lengths(static_cast<size_t>(batch), static_cast<int32_t>(times));
  const Tensor on_device = on(bench.device(), Tensor::of<int32_t>(lengths, Shape{batch}));
  const std::string text = fmt::format("LSTM T={} B={} n={}", times, batch, n);
  RnnForward f;
  f.x = bench.random(Shape{times, batch, n});
  f.w = bench.random(Shape{n, 4 * n});
  f.w_re = bench.random(Shape{n, 4 * n});
  f.bias = bench.random(Shape{4 * n});
  f.lengths = on_device;
  f.host_lengths = lengths;
  f.y = bench.random(Shape{times, batch, n});
  f.for_gradients = true;
  const int64_t work = times * batch * 8 * n * n;
  if (cuda::has_rnn_library()) {
    cuda::RnnLayer layer(RnnForm{});
    bench.product(text + " cuDNN forward", work, [&] { layer.forward(f, bench.scratch()); });
    RnnBackward b{f.y, {}, {}, f.x, f.w, f.w_re, f.y, f.lengths, {}, {}, lengths};
    b.dx = bench.random(f.x.shape());
    b.dw = bench.random(f.w.shape());
    b.dw_re = bench.random(f.w_re.shape());
    b.dbias = bench.random(f.bias.shape());
    bench.product(text + " cuDNN forward and backward", 3 * work, [&] {
      layer.forward(f, bench.scratch());
      layer.backward(b, bench.scratch());
    });
  }
  const Tensor z = bench.random(Shape{times, batch, 4 * n});
  bench.product(text + " own forward", work, [&] {
    cuda::linear(f.x, f.w, f.bias, false, nullptr, bench.scratch(), z);
    cuda::lstm_forward({z, f.w_re, on_device, {}, {}, f.y, {}, {}, {}, {}}, cpu::LstmOptions{}, bench.scratch());
  });
}

}  // namespace

int main(int argc, char** argv) {
  const bool dry = argc > 1 && std::string(argv[1]) == "--dry";
  try {
    Bench bench(dry ? 100 : 1);
    pointwise(bench);
    for (const char* precision : {"bfloat16", "tf32", "float32"}) products(bench, precision);
    softmaxes(bench);
    recurrent(bench, dry ? 2 : 40, dry ? 8 : 500);
    recurrent(bench, dry ? 2 : 64, dry ? 8 : 1024);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}

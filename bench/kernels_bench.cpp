// Single kernels: GFLOP/s of products, GB/s of what is bound by memory.

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/lstm.h"
#include "kernels/pointwise.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"

namespace {

using benchmark::Counter;
using wende::DType;
using wende::Shape;
using wende::Tensor;

Tensor random_tensor(Shape shape) {
  Tensor tensor = Tensor::empty(DType::kFloat32, shape);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-0.1f, 0.1f);
  for (int64_t i = 0; i < tensor.elements(); ++i) tensor.data<float>()[i] = uniform(random);
  return tensor;
}

void report(benchmark::State& state, const char* name, double amount) {
  state.counters[name] = Counter(amount * static_cast<double>(state.iterations()) * 1e-9, Counter::kIsRate);
}

/// Arguments: m, n, k, a transposed, b transposed.
void gemm(benchmark::State& state) {
  const int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const bool ta = state.range(3) != 0, tb = state.range(4) != 0;
  const Tensor a = random_tensor(Shape{m, k});
  const Tensor b = random_tensor(Shape{k, n});
  const Tensor c = random_tensor(Shape{m, n});
  for (auto _ : state) {
    wende::cpu::gemm(ta, tb, m, n, k, 1.0f, a.data<float>(), ta ? m : k, b.data<float>(), tb ? k : n, 0.0f,
                     c.data<float>(), n);
  }
  report(state, "GFLOP/s", 2.0 * static_cast<double>(m * n * k));
}
BENCHMARK(gemm)
    ->Args({2000, 2000, 500, 0, 0})
    ->Args({40, 2000, 500, 0, 0})
    ->Args({40, 500, 2000, 0, 0})
    ->Args({8000, 4501, 500, 0, 0})
    ->Args({8000, 500, 4501, 0, 1})
    ->Args({500, 4501, 8000, 1, 0});

/// Argument: frames per sequence; 40 sequences, 500 cells.
void lstm_forward(benchmark::State& state) {
  const int64_t time = state.range(0), batch = 40, n = 500;
  wende::cpu::LstmForward args;
  args.z = random_tensor(Shape{time, batch, 4 * n});
  args.w_re = random_tensor(Shape{n, 4 * n});
  args.lengths =
      Tensor::of<int32_t>(std::vector<int32_t>(static_cast<size_t>(batch), static_cast<int32_t>(time)), Shape{batch});
  args.y = random_tensor(Shape{time, batch, n});
  for (auto _ : state) wende::cpu::lstm_forward(args, {}, wende::cpu::heap_scratch);
  report(state, "GFLOP/s", 8.0 * static_cast<double>(time * batch * n * n));
}
BENCHMARK(lstm_forward)->Arg(50);

void softmax(benchmark::State& state) {
  const Tensor x = random_tensor(Shape{state.range(0), state.range(1)});
  const Tensor y = random_tensor(x.shape());
  for (auto _ : state) wende::cpu::softmax(x, 1, false, y);
  report(state, "GB/s", 8.0 * static_cast<double>(x.elements()));
}
BENCHMARK(softmax)->Args({2000, 4501})->Args({100, 4501});

void multiply(benchmark::State& state) {
  const Tensor a = random_tensor(Shape{state.range(0), 500});
  const Tensor b = random_tensor(Shape{state.range(1) != 0 ? 1 : state.range(0), 500});
  const Tensor y = random_tensor(a.shape());
  for (auto _ : state) wende::cpu::binary(wende::Binary::kMul, a, b, y);
  report(state, "GB/s", (state.range(1) != 0 ? 8.0 : 12.0) * static_cast<double>(a.elements()));
}
BENCHMARK(multiply)->Args({8000, 0})->Args({8000, 1});

void sum(benchmark::State& state) {
  const Tensor x = random_tensor(Shape{8000, 500});
  const int axis = static_cast<int>(state.range(0));
  const Tensor y = random_tensor(Shape{axis == 0 ? 500 : 8000});
  for (auto _ : state) wende::cpu::reduce(wende::Reduction::kSum, x, {axis}, y);
  report(state, "GB/s", 4.0 * static_cast<double>(x.elements()));
}
BENCHMARK(sum)->Arg(0)->Arg(1);

}  // namespace

BENCHMARK_MAIN();

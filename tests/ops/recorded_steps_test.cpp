// Runs of repeated sizes are recorded and launched as a whole (CUDA graphs): not one bit may change by that.
#include "device/recorded_launch.h"
#include "graph/row_identity.h"
#include "ops/dropout.h"
#include "ops/finite_difference.h"
#include "ops/loop.h"
#include "ops/matmul.h"
#include "ops/recurrent.h"
#include "ops/run_value.h"
#include "ops/sequence.h"
#include "ops/shape.h"
#include "tensor/placement.h"

namespace wende {
namespace {

constexpr int kIn = 5;
constexpr int kUnits = 4;

/// A batch for each step: its lengths. They come again, with other numbers in them and with padding elsewhere.
std::vector<int32_t> lengths_of_step(int step) {
  static const std::vector<std::vector<int32_t>> kLengths = {{4, 4}, {6, 2, 3}, {4, 4}, {4, 3}, {6, 6, 6}};
  return kLengths[static_cast<size_t>(step) % kLengths.size()];
}

/// An LSTM, a loop and dropout, with the gradients of all weights, trained by descent with a new rate in each step.
class Training {
 public:
  Training() {
    const std::vector<Dim> sizes{Dim::fixed(kIn), Dim::fixed(4 * kUnits), Dim::fixed(kUnits)};
    add_weight("w", {sizes[0], sizes[1]});
    add_weight("b", {sizes[1]});
    add_weight("re", {sizes[2], sizes[1]});
    add_weight("u", {sizes[2], sizes[2]});
    const Expr x = ops::input(graph_, "x", DType::kFloat32, {time_, batch_, sizes[0]});
    const Expr lengths = ops::lengths(graph_, time_, batch_);
    Expr y =
        ops::lstm(ops::linear(x, leaves_[0], leaves_[1]), leaves_[2], lengths, {}, {}, 1, ops::GateOrder::kNative, 1.0)
            .output;
    y = ops::mul(y, ops::dropout_mask(graph_, y.dims(), 0.8, 7));
    y = ops::add(y, loop(y));
    const Expr step = ops::cast(ops::step_number(graph_), DType::kFloat32);
    y = ops::add(ops::unary(ops::Unary::kSquare, y), ops::mul(ops::scale(y, 0.01), step));
    const Expr mask = ops::expand_dims(ops::sequence_mask(graph_, batch_, time_, true), 2);
    loss_ = ops::reduce(Reduction::kSum, ops::where(mask, y, ops::constant(graph_, 0.0)), {0, 1, 2});
  }

  /// Losses and the weights of all steps, as bytes.
  std::vector<float> run(bool recorded, int steps, int64_t* launches) {
    allow_recorded_launches(recorded);
    std::vector<Fetch> fetches{{loss_, {}}};
    const std::vector<Expr> grads = gradients(loss_, leaves_);
    std::vector<Tensor> weights;
    std::vector<Tensor> gradients;
    for (size_t i = 0; i < leaves_.size(); ++i) {
      const Tensor start = test::random_tensor(Binding().shape(leaves_[i].dims()), static_cast<uint32_t>(i));
      weights.push_back(on(test::test_device(), start).clone());
      gradients.push_back(Tensor::zeros(DType::kFloat32, start.shape(), test::test_device()));
      fetches.push_back({grads[i], gradients.back()});
    }
    Executor executor(graph_, fetches, test::test_device());
    for (size_t i = 0; i < leaves_.size(); ++i) executor.bind(names_[i], weights[i]);
    std::vector<float> seen;
    for (int step = 0; step < steps; ++step) {
      int handed_out = 0;
      RunOptions options{.seed = 3, .step = static_cast<uint64_t>(step)};
      if (step % 3 != 0) options.on_fetch = [&handed_out](int) { ++handed_out; };
      seen.push_back(executor.run(bind_batch(executor, step), options)[0].data<float>()[0]);
      EXPECT_EQ(handed_out, step % 3 != 0 ? static_cast<int>(fetches.size()) : 0);
      for (size_t i = 0; i < weights.size(); ++i) {
        change_on_host(weights[i], [&](const Tensor& weight) {
          const std::vector<float> gradient = on_host(gradients[i]).to_vector<float>();
          for (size_t k = 0; k < gradient.size(); ++k) {
            weight.data<float>()[k] -= 0.001F / static_cast<float>(step + 1) * gradient[k];
            seen.push_back(weight.data<float>()[k]);
          }
        });
      }
    }
    *launches = executor.recorded_launches();
    allow_recorded_launches(true);
    return seen;
  }

 private:
  void add_weight(const std::string& name, const std::vector<Dim>& dims) {
    names_.push_back(name);
    leaves_.push_back(ops::parameter(graph_, name, DType::kFloat32, dims));
  }

  /// h_t = tanh(y_t + h_{t-1} U) with dropout
  Expr loop(const Expr& y) {
    ops::LoopBuilder loop(graph_, time_);
    const Expr y_t = loop.sequence(y);
    const Expr h = loop.state({DType::kFloat32, {batch_, y.dim(2)}});
    const Expr sum = ops::unary(ops::Unary::kTanh, ops::add(y_t, ops::linear(h, loop.body().capture(leaves_[3]))));
    const Expr next = ops::mul(sum, ops::dropout_mask(loop.body(), sum.dims(), 0.9, 8));
    loop.set_state(h, next, {});
    loop.finish();
    return loop.stack(next);
  }

  Binding bind_batch(Executor& executor, int step) const {
    const std::vector<int32_t> lengths = lengths_of_step(step);
    Binding binding;
    binding.bind(batch_, static_cast<int64_t>(lengths.size()));
    binding.bind_lengths(time_, lengths);
    cpu::RandomRows rows;  // no two batches hold the same sequences
    for (int64_t row = 0; row < binding.size(batch_); ++row) {
      rows.push_back({{static_cast<uint64_t>(1000 * step + row), 0}});
    }
    bind_rows(binding, rows);
    executor.bind(
        "x", test::random_tensor({binding.size(time_), binding.size(batch_), kIn}, 100U + static_cast<uint32_t>(step)));
    return binding;
  }

  Graph graph_;
  Dim batch_ = Dim::batch();
  Dim time_ = Dim::dynamic("time");
  std::vector<std::string> names_;
  std::vector<Expr> leaves_;
  Expr loss_;
};

TEST(RecordedSteps, ChangeNoBit) {
  Training training;
  int64_t launches = 0;
  const std::vector<float> plain = training.run(false, 20, &launches);
  EXPECT_EQ(launches, 0);
  const std::vector<float> recorded = training.run(true, 20, &launches);
  EXPECT_EQ(plain, recorded);
  EXPECT_NE(plain[0], 0.0F);
  if (test::test_device().is_cpu()) {
    EXPECT_EQ(launches, 0);
  } else {
    EXPECT_GE(launches, 12);
    EXPECT_LE(launches, 20);  // a step is one launch, products that leave out padding included
  }
}

// The step and the sequences of random numbers are read from memory: only lengths depend on the host here.
TEST(RecordedSteps, HoldRandomNumbersAndLoopsWithThem) {
  Graph graph;
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  const Expr x = ops::input(graph, "x", DType::kFloat32, {time, batch, Dim::fixed(kIn)});
  ops::LoopBuilder loop(graph, time);
  const Expr x_t = loop.sequence(x);
  const Expr h = loop.state(x_t.type());
  const Expr next = ops::add(ops::mul(x_t, ops::dropout_mask(loop.body(), x_t.dims(), 0.5, 3)), ops::scale(h, 0.5));
  loop.set_state(h, next, {});
  loop.finish();
  const Expr step = ops::cast(ops::step_number(graph), DType::kFloat32);
  const Expr y = ops::mul(ops::add(loop.stack(next), step), ops::dropout_mask(graph, x.dims(), 0.5, 4));
  const Expr fixed = ops::random_normal(graph, {Dim::fixed(3)}, 1.0, 5, false);
  const auto run = [&](bool recorded, int64_t* launches) {
    allow_recorded_launches(recorded);
    Executor executor(graph, {{y, {}}, {fixed, {}}}, test::test_device());
    executor.bind("x", test::random_tensor({6, 2, kIn}, 1));
    std::vector<float> seen;
    for (int number = 0; number < 7; ++number) {
      Binding binding;
      binding.bind(batch, 2);
      binding.bind_lengths(time, {6, 6});
      bind_rows(binding, {{{static_cast<uint64_t>(70 * number), 0}}, {{7, 0}, {static_cast<uint64_t>(number), 3}}});
      for (const Tensor& value : executor.run(binding, {.seed = 3, .step = 5 + static_cast<uint64_t>(number)})) {
        for (const float v : value.to_vector<float>()) seen.push_back(v);
      }
    }
    *launches = executor.recorded_launches();
    allow_recorded_launches(true);
    return seen;
  };
  int64_t launches = 0;
  const std::vector<float> plain = run(false, &launches);
  EXPECT_EQ(plain, run(true, &launches));
  EXPECT_EQ(launches, test::test_device().is_cpu() ? 0 : 6) << "one for all of a run, from the second run on";
}

// How many steps run is only known on the way: each of them is one launch, with copies of what it reads and writes.
TEST(RecordedSteps, OfALoopThatEndsByItselfAreRepeated) {
  Graph graph;
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  const ExprType type{DType::kFloat32, {batch, Dim::fixed(kIn)}};
  const Expr x = ops::input(graph, "x", DType::kFloat32, {time, batch, Dim::fixed(kIn)});
  const Expr w = ops::input(graph, "w", DType::kFloat32, {Dim::fixed(kIn), Dim::fixed(kIn)});
  ops::LoopBuilder loop(graph, time);
  const Expr before = loop.sequence(x, -1, ops::input(graph, "start", DType::kFloat32, type.dims));
  const Expr h = loop.state(type);
  const Expr count = loop.state({DType::kInt32, {}});
  Expr next = ops::add(loop.sequence(x), ops::linear(h, loop.body().capture(w)));
  for (int i = 0; i < 6; ++i)
    next = ops::unary(ops::Unary::kTanh, ops::add(next, ops::linear(next, loop.body().capture(w))));
  next = ops::add(next, before);
  loop.set_state(h, next, {});
  const Expr counted = ops::add(count, ops::constant(loop.body(), 1, DType::kInt32));
  loop.set_state(count, counted, {});
  const Expr limit = loop.body().capture(ops::input(graph, "limit", DType::kInt32, {}));
  loop.stop_after(ops::binary(ops::Binary::kGreaterEqual, counted, limit));
  loop.keep(next);
  loop.keep(before);
  loop.finish();
  const std::vector<Expr> wanted{loop.stack(next), loop.stack(before), loop.final_state(h), loop.steps_done()};
  const auto run = [&](bool recorded, int64_t* launches) {
    allow_recorded_launches(recorded);
    std::vector<Fetch> fetches;
    for (const Expr& expr : wanted) fetches.push_back({expr, {}});
    Executor executor(graph, fetches, test::test_device());
    executor.bind("w", test::random_tensor({kIn, kIn}, 2));
    executor.bind("start", test::random_tensor({2, kIn}, 4));
    const int64_t launches_before = launched_recordings();
    std::vector<float> seen;
    for (const int32_t steps : {9, 3, 12, 20, 9}) {
      Binding binding;
      binding.bind(batch, 2);
      binding.bind_lengths(time, {12, 12});
      executor.bind("x", test::random_tensor({12, 2, kIn}, static_cast<uint32_t>(steps)));
      executor.bind("limit", Tensor::of<int32_t>({steps}, {}));
      const std::vector<Tensor> values = executor.run(binding);
      for (size_t i = 0; i < 3; ++i) {
        for (const float v : values[i].to_vector<float>()) seen.push_back(v);
      }
      seen.push_back(static_cast<float>(values[3].data<int32_t>()[0]));
      EXPECT_EQ(values[3].data<int32_t>()[0], std::min(steps, 12));
    }
    *launches = launched_recordings() - launches_before;
    allow_recorded_launches(true);
    return seen;
  };
  int64_t launches = 0;
  const std::vector<float> plain = run(false, &launches);
  EXPECT_EQ(launches, 0);
  EXPECT_EQ(plain, run(true, &launches));
  const int64_t steps = test::test_device().is_cpu() ? 0 : 9 + 12 + 12 + 9;
  EXPECT_GE(launches, steps - 2) << "all steps but the first ones, and where only few may run";
}

}  // namespace
}  // namespace wende

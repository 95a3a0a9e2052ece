#include "ops/sequence.h"

#include "ops/finite_difference.h"

namespace wende {
namespace {

struct Sizes {
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Dim two = Dim::fixed(2);
  Binding binding;
  Sizes() {
    binding.bind(batch, 3);
    binding.bind_lengths(time, {2, 0, 3});
  }
};

TEST(Sequence, LengthsAndMask) {
  const Sizes s;
  Graph graph;
  EXPECT_EQ(test::evaluate(ops::lengths(graph, s.time, s.batch), {}, s.binding).to_vector<int32_t>(),
            (std::vector<int32_t>{2, 0, 3}));
  EXPECT_EQ(test::evaluate(ops::sequence_mask(graph, s.batch, s.time), {}, s.binding).to_vector<bool>(),
            (std::vector<bool>{true, true, false, false, false, false, true, true, true}));
  EXPECT_EQ(test::evaluate(ops::sequence_mask(graph, s.batch, s.time, true), {}, s.binding).to_vector<bool>(),
            (std::vector<bool>{true, false, true, true, false, true, false, false, true}));
}

TEST(Sequence, ReverseKeepsPadding) {
  const Sizes s;
  Graph graph;
  const Expr x = ops::input(graph, "x", DType::kInt32, {s.batch, s.time});
  const Expr x_time_major = ops::input(graph, "x", DType::kInt32, {s.time, s.batch});
  const Tensor values = Tensor::of<int32_t>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3});
  EXPECT_EQ(test::evaluate(ops::reverse_sequence(x, 0, 1), {{"x", values}}, s.binding).to_vector<int32_t>(),
            (std::vector<int32_t>{2, 1, 3, 4, 5, 6, 9, 8, 7}));
  EXPECT_EQ(test::evaluate(ops::reverse_sequence(x_time_major, 1, 0), {{"x", values}}, s.binding).to_vector<int32_t>(),
            (std::vector<int32_t>{4, 2, 9, 1, 5, 6, 7, 8, 3}));
}

TEST(Sequence, PackAndUnpack) {
  const Sizes s;
  for (const bool time_major : {false, true}) {
    Graph graph;
    const Expr x = ops::input(graph, "x", DType::kInt32,
                              time_major ? std::vector<Dim>{s.time, s.batch} : std::vector<Dim>{s.batch, s.time});
    const Tensor values = Tensor::of<int32_t>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3});
    const Expr packed = ops::pack(x, time_major ? 1 : 0, time_major ? 0 : 1);
    const Expr unpacked = ops::unpack(packed, s.batch, s.time, time_major);
    const auto results = test::evaluate({packed, unpacked}, {{"x", values}}, s.binding);
    EXPECT_EQ(results[0].to_vector<int32_t>(),
              time_major ? (std::vector<int32_t>{1, 4, 3, 6, 9}) : (std::vector<int32_t>{1, 2, 7, 8, 9}));
    EXPECT_EQ(results[1].to_vector<int32_t>(), time_major ? (std::vector<int32_t>{1, 0, 3, 4, 0, 6, 0, 0, 9})
                                                          : (std::vector<int32_t>{1, 2, 0, 0, 0, 0, 7, 8, 9}));
  }
}

TEST(Sequence, Gradients) {
  const Sizes s;
  test::FiniteDifferenceOptions options;
  options.binding = s.binding;
  const std::vector<Dim> dims{s.batch, s.time, s.two};
  test::expect_gradients_of_dims(
      {dims}, [](Graph&, const std::vector<Expr>& x) { return ops::reverse_sequence(x[0], 0, 1); }, options);
  test::expect_gradients_of_dims(
      {dims}, [](Graph&, const std::vector<Expr>& x) { return ops::pack(x[0], 0, 1); }, options);
  test::expect_gradients_of_dims(
      {{Dim::derived(Dim::Op::kPacked, {s.batch, s.time}), s.two}},
      [&](Graph&, const std::vector<Expr>& x) { return ops::unpack(x[0], s.batch, s.time, true); }, options);
}

}  // namespace
}  // namespace wende

#include "engine/run_outputs.h"

#include <gtest/gtest.h>

#include "engine/trained_network.h"

namespace wende {
namespace {

/// Axes of extern data as the network's config has them.
struct Outputs {
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Dim other = Dim::dynamic("other");
  Dim feature = Dim::fixed(2);
  Binding binding;
  Outputs() {
    binding.bind(batch, 2);
    binding.bind_lengths(time, {3, 1});
    binding.bind_lengths(other, {1, 2});
  }
  Data data(std::vector<Dim> dims, int time_axis, int feature_axis) const {
    Data data;
    data.dims = std::move(dims);
    data.time_axis = time_axis;
    data.feature_axis = feature_axis;
    return data;
  }
};

Tensor counting(Shape shape) {
  const Tensor tensor = Tensor::empty(DType::kFloat32, shape);
  for (int64_t i = 0; i < tensor.elements(); ++i) tensor.data<float>()[i] = static_cast<float>(i + 1);
  return tensor;
}

using Sizes = std::vector<std::pair<int, std::vector<int32_t>>>;

TEST(RunOutputs, BatchComesFirstAndPaddingIsZero) {
  const Outputs o;
  const ReadableOutput output =
      make_readable(o.data({o.time, o.batch, o.feature}, 0, 2), counting({3, 2, 2}), o.binding);
  EXPECT_EQ(output.axes, "B,T,F");
  EXPECT_EQ(output.values.to_vector<float>(), (std::vector<float>{1, 2, 5, 6, 9, 10, 3, 4, 0, 0, 0, 0}));
  EXPECT_EQ(output.sizes, (Sizes{{1, {3, 1}}}));
}

TEST(RunOutputs, PaddingCanBeKept) {
  const Outputs o;
  const ReadableOutput output =
      make_readable(o.data({o.batch, o.time}, 1, -1), counting({2, 3}), o.binding, wende::Padding::kKeep);
  EXPECT_EQ(output.values.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(RunOutputs, TwoDynamicAxes) {
  const Outputs o;
  const ReadableOutput output =
      make_readable(o.data({o.batch, o.time, o.other}, 1, -1), counting({2, 3, 2}), o.binding);
  EXPECT_EQ(output.axes, "B,T,D");
  EXPECT_EQ(output.values.to_vector<float>(), (std::vector<float>{1, 0, 3, 0, 5, 0, 7, 8, 0, 0, 0, 0}));
  EXPECT_EQ(output.sizes, (Sizes{{1, {3, 1}}, {2, {1, 2}}}));
}

TEST(RunOutputs, ValuesWithoutABatchStayAsTheyAre) {
  const Outputs o;
  const ReadableOutput output = make_readable(o.data({Dim::fixed(3), o.feature}, -1, 1), counting({3, 2}), o.binding);
  EXPECT_EQ(output.axes, "S,F");
  EXPECT_TRUE(output.sizes.empty());
  EXPECT_EQ(output.values.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST(RunOutputs, TheSourceIsNotTouched) {
  const Outputs o;
  const Tensor source = counting({2, 3});
  make_readable(o.data({o.batch, o.time}, 1, -1), source, o.binding);
  EXPECT_EQ(source.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace wende

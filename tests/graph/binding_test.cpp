#include "graph/binding.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace wende {
namespace {

using Op = Dim::Op;

struct Bound {
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Dim other = Dim::dynamic("other");
  Binding binding;
  Bound() {
    binding.bind(batch, 3);
    binding.bind_lengths(time, {7, 2, 5});
    binding.bind_lengths(other, {1, 9, 5});
  }
  int64_t size(Op op, const Dim& a, const Dim& b) const { return binding.size(Dim::derived(op, {a, b})); }
  std::vector<int32_t> lengths(Op op, const Dim& a, const Dim& b) const {
    return binding.lengths(Dim::derived(op, {a, b}));
  }
};

using Lengths = std::vector<int32_t>;

TEST(Binding, FormulasOfSizesAndLengths) {
  const Bound b;
  const Dim two = Dim::fixed(2), three = Dim::fixed(3);
  EXPECT_EQ(b.size(Op::kAdd, b.time, three), 10);
  EXPECT_EQ(b.lengths(Op::kAdd, b.time, three), (Lengths{10, 5, 8}));
  EXPECT_EQ(b.size(Op::kSub, b.time, three), 4);
  EXPECT_EQ(b.lengths(Op::kSub, b.time, three), (Lengths{4, 0, 2}));
  EXPECT_EQ(b.size(Op::kMul, b.time, two), 14);
  EXPECT_EQ(b.lengths(Op::kMul, b.time, two), (Lengths{14, 4, 10}));
  EXPECT_EQ(b.size(Op::kFloorDiv, b.time, two), 3);
  EXPECT_EQ(b.lengths(Op::kFloorDiv, b.time, two), (Lengths{3, 1, 2}));
  EXPECT_EQ(b.size(Op::kCeilDiv, b.time, two), 4);
  EXPECT_EQ(b.lengths(Op::kCeilDiv, b.time, two), (Lengths{4, 1, 3}));
}

TEST(Binding, TwoDynamicOperandsGoSequenceBySequence) {
  const Bound b;
  EXPECT_EQ(b.lengths(Op::kAdd, b.time, b.other), (Lengths{8, 11, 10}));
  EXPECT_EQ(b.lengths(Op::kMax, b.time, b.other), (Lengths{7, 9, 5}));
  EXPECT_EQ(b.lengths(Op::kSub, b.time, b.other), (Lengths{6, 0, 0}));
  EXPECT_EQ(b.size(Op::kMax, b.time, b.other), 9);
}

TEST(Binding, FormulasNest) {
  const Bound b;
  const Dim padded = Dim::derived(Op::kAdd, {b.time, Dim::fixed(3)});
  const Dim strided = Dim::derived(Op::kCeilDiv, {padded, Dim::fixed(4)});
  EXPECT_EQ(b.binding.size(strided), 3);
  EXPECT_EQ(b.binding.lengths(strided), (Lengths{3, 2, 2}));
}

TEST(Binding, PackedIsTheNumberOfFrames) {
  const Bound b;
  EXPECT_EQ(b.binding.size(Dim::derived(Op::kPacked, {b.batch, b.time})), 14);
}

TEST(Binding, BoundSizesWinOverFormulas) {
  Bound b;
  const Dim derived = Dim::derived(Op::kAdd, {b.time, Dim::fixed(1)});
  b.binding.bind(derived, 100);
  EXPECT_EQ(b.binding.size(derived), 100);
}

TEST(Binding, EmptyBatch) {
  Binding binding;
  const Dim time = Dim::dynamic("time");
  binding.bind_lengths(time, {});
  EXPECT_EQ(binding.size(time), 0);
  EXPECT_EQ(binding.lengths(Dim::derived(Op::kCeilDiv, {time, Dim::fixed(2)})), Lengths{});
}

TEST(Binding, UnboundDimsAreNamed) {
  Bound b;
  const Dim nowhere = Dim::dynamic("nowhere");
  EXPECT_FALSE(b.binding.bound(nowhere));
  EXPECT_TRUE(b.binding.bound(b.time));
  EXPECT_TRUE(b.binding.bound(Dim::fixed(4)));
  try {
    b.binding.size(Dim::derived(Op::kAdd, {nowhere, Dim::fixed(1)}));
    FAIL() << "an unbound dim has a size";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere"), std::string::npos) << error.what();
  }
  EXPECT_THROW(b.binding.lengths(nowhere), Error);
  b.binding.clear();
  EXPECT_THROW(b.binding.size(b.time), Error);
}

TEST(Binding, Shape) {
  const Bound b;
  EXPECT_EQ(b.binding.shape({b.batch, b.time, Dim::fixed(4)}), (wende::Shape{3, 7, 4}));
  EXPECT_EQ(b.binding.shape({}), wende::Shape{});
}

}  // namespace
}  // namespace wende

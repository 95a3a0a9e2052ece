#include "graph/running_order.h"

#include <gtest/gtest.h>

#include "graph/test_ops.h"

namespace wende {
namespace {

using test::affine;
using test::leaf;
using test::product;

class RunningOrderTest : public testing::Test {
 protected:
  std::vector<NodeId> order(const std::vector<Expr>& exprs) {
    std::vector<Fetch> fetches;
    for (const Expr& expr : exprs) fetches.push_back({expr, {}});
    return running_order(graph, fetches).nodes;
  }

  Graph graph;
  Expr x = leaf(graph, "x", {Dim::fixed(3)});
  Expr a = affine(x, 2, 0);
  Expr b = affine(a, 3, 0);
  Expr c = affine(b, 5, 0);
};

TEST_F(RunningOrderTest, OnlyWhatIsNeeded) { EXPECT_EQ(order({b}), (std::vector<NodeId>{x.node, a.node, b.node})); }

TEST_F(RunningOrderTest, AFusionStandsForTheNodesThatItReplaces) {
  const Expr both = affine(x, 6, 0);
  graph.offer({both.node, {a.node, b.node}, {{b, 0}}});
  EXPECT_EQ(order({c}), (std::vector<NodeId>{x.node, both.node, c.node}));
  EXPECT_EQ(order({c, a}), (std::vector<NodeId>{x.node, a.node, b.node, c.node})) << "a is fetched";
  EXPECT_EQ(order({a}), (std::vector<NodeId>{x.node, a.node})) << "b would not run";
}

TEST_F(RunningOrderTest, AFusionIsLeftOutWhereAnInnerValueIsRead) {
  const Expr both = affine(x, 6, 0);
  graph.offer({both.node, {a.node, b.node}, {{b, 0}}});
  const Expr reader = product(a, c);
  EXPECT_EQ(order({reader}), (std::vector<NodeId>{x.node, a.node, b.node, c.node, reader.node}));
}

TEST_F(RunningOrderTest, InputsOfAFusionRunBeforeItsFirstReader) {
  const Expr late = affine(x, 7, 0);  // made after c, which reads what the fused node gives
  const Expr fused = product(x, late);
  graph.offer({fused.node, {a.node, b.node}, {{b, 0}}});
  EXPECT_EQ(order({c}), (std::vector<NodeId>{x.node, late.node, fused.node, c.node}));
}

TEST_F(RunningOrderTest, FusionsThatWaitForEachOtherAreLeftOut) {
  const Expr d = affine(x, 11, 0);
  const Expr e = affine(d, 13, 0);
  const Expr first = product(x, e);   // gives b, needs e
  const Expr second = product(x, b);  // gives e, needs b
  graph.offer({first.node, {a.node, b.node}, {{b, 0}}});
  graph.offer({second.node, {d.node, e.node}, {{e, 0}}});
  EXPECT_EQ(order({c, e}), (std::vector<NodeId>{x.node, a.node, b.node, c.node, d.node, e.node}));
}

}  // namespace
}  // namespace wende

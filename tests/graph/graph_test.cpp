#include "graph/graph.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/test_ops.h"

namespace wende {
namespace {

using test::affine;
using test::leaf;

TEST(Graph, EqualPureNodesAreOne) {
  Graph graph;
  const Dim three = Dim::fixed(3);
  const Expr x = leaf(graph, "x", {three});
  const Expr y = affine(x, 2, 1);
  EXPECT_EQ(affine(x, 2, 1), y);
  EXPECT_FALSE(affine(x, 2, 1.5) == y);
  EXPECT_FALSE(affine(y, 2, 1) == y);
}

TEST(Graph, ImpureNodesStayApart) {
  Graph graph;
  const Expr a = graph.add(std::make_shared<const test::ImpureOp>(), {});
  const Expr b = graph.add(std::make_shared<const test::ImpureOp>(), {});
  EXPECT_FALSE(a == b);
}

TEST(Graph, DimsAreEqualByIdentityOnly) {
  Graph graph;
  const Expr x = leaf(graph, "x", {Dim::fixed(6)});
  const Dim time = Dim::dynamic("time");
  EXPECT_EQ(test::rename(x, {time}), test::rename(x, {time}));
  EXPECT_FALSE(test::rename(x, {time}) == test::rename(x, {Dim::dynamic("time")}));
}

TEST(Graph, ErrorsNameTypesAndTheLayer) {
  Graph graph;
  const Expr x = leaf(graph, "x", {Dim::fixed(3)});
  const Expr y = leaf(graph, "y", {Dim::fixed(4)});
  const ScopeGuard scope(graph, "here");
  try {
    test::product(x, y);
    FAIL() << "other dims went through";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("[product] dims differ: float32 ["), std::string::npos) << text;
  }
  Graph other;
  EXPECT_THROW(other.add(std::make_shared<const test::ProductOp>(), {x, x}), Error) << "nodes of another graph";
}

TEST(Graph, ScopesNestAndComeBack) {
  Graph graph;
  const Expr x = leaf(graph, "x", {Dim::fixed(3)});
  const auto scope_of = [&](Expr expr) { return graph.scope_name(graph.node(expr.node).scope); };
  const ScopeGuard outer(graph, "outer");
  {
    const ScopeGuard inner(graph, "inner");
    EXPECT_EQ(scope_of(affine(x, 1, 1)), "inner");
  }
  EXPECT_EQ(scope_of(affine(x, 1, 2)), "outer");
  EXPECT_EQ(scope_of(x), "");
  EXPECT_NE(graph.str().find("affine{scale=1,shift=1"), std::string::npos) << graph.str();
}

}  // namespace
}  // namespace wende

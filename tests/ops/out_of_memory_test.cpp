#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/finite_difference.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

TEST(OutOfMemory, NamesTheLargestValuesAndTheBatch) {
  Graph graph;
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  const ScopeGuard scope(graph, "wide");
  const Expr noise = ops::constant(graph, 1.0, DType::kFloat32, {batch, time, Dim::fixed(int64_t{1} << 40)});
  const Expr result = ops::unary(Unary::kExp, noise);
  Binding binding;
  binding.bind(batch, 3);
  binding.bind(time, 7);
  try {
    test::evaluate({result}, {}, binding);
    FAIL() << "there is no such memory";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.status(), ExitStatus::kOutOfMemory) << text;
    EXPECT_NE(text.find("batch=3 time=7"), std::string::npos) << text;
    EXPECT_NE(text.find("wide/exp [3,7,1099511627776]"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace wende

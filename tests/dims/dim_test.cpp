#include "dims/dim.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace wende {
namespace {

TEST(Dim, IdentityAndSize) {
  const Dim a = Dim::dynamic("time:data");
  const Dim b = Dim::dynamic("time:data");
  EXPECT_TRUE(a == a);
  EXPECT_FALSE(a == b);
  EXPECT_FALSE(a.same_size(b));
  EXPECT_TRUE(Dim::fixed(4).same_size(Dim::fixed(4, Dim::Kind::kSpatial)));
  EXPECT_FALSE(Dim::fixed(4).same_size(Dim::fixed(5)));
  EXPECT_THROW(a.size(), Error);
  EXPECT_FALSE(Dim().defined());
}

TEST(Dim, Formulas) {
  const Dim t = Dim::dynamic("t");
  EXPECT_TRUE((t + 3).same_size(t + 3));
  EXPECT_FALSE((t + 3).same_size(t + 2));
  EXPECT_TRUE((t + 0) == t);
  EXPECT_TRUE((t + 2 - 2) == t);
  EXPECT_TRUE((t + 1 + 2).same_size(t + 3));
  EXPECT_FALSE((t - 2 + 2) == t);  // sequences shorter than 2 are longer now
  EXPECT_TRUE(ceil_div(t, 1) == t);
  EXPECT_TRUE(ceil_div(t, 2).same_size(ceil_div(t, 2)));
  EXPECT_TRUE((t * 2).is_dynamic());
  EXPECT_EQ((t + 3).op(), Dim::Op::kAdd);
  EXPECT_EQ((t + (-3)).op(), Dim::Op::kSub);
}

TEST(Dim, StaticFormulas) {
  EXPECT_EQ(ceil_div(Dim::fixed(7), 2).size(), 4);
  EXPECT_EQ((Dim::fixed(7) * 2).size(), 14);
  EXPECT_EQ((Dim::fixed(3) - 5).size(), 0);
  EXPECT_EQ(Dim::derived(Dim::Op::kFloorDiv, {Dim::fixed(7), Dim::fixed(2)}).size(), 3);
  EXPECT_EQ(Dim::derived(Dim::Op::kMax, {Dim::fixed(7), Dim::fixed(9)}).size(), 9);
}

TEST(Dim, Text) {
  EXPECT_EQ(Dim::batch().str(), "B");
  EXPECT_EQ(Dim::dynamic("time:data").str(), "'time:data'[B]");
  EXPECT_EQ(Dim::fixed(500, Dim::Kind::kFeature, "fw1:feature").str(), "'fw1:feature'(500)");
  EXPECT_EQ(Dim::fixed(3).str(), "(3)");
  EXPECT_EQ((Dim::dynamic("t") + 2).str(), "'(t+2)'[B]");
}

}  // namespace
}  // namespace wende

#include "config/overrides.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace wende {
namespace {

using Words = std::vector<std::string>;

TEST(Overrides, AreTakenOutOfTheCommandLine) {
  Words args = {"train", "++learning_rate", "0.1", "my.config", "++model", "++x", "--literal"};
  EXPECT_EQ(take_overrides(args), (Words{"learning_rate", "0.1", "model", "++x"}));
  EXPECT_EQ(args, (Words{"train", "my.config", "--literal"}));
  for (Words bad : {Words{"++"}, Words{"++a"}, Words{"a", "++", "1"}}) {
    try {
      take_overrides(bad);
      ADD_FAILURE() << bad.back();
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
    }
  }
}

TEST(Overrides, AreLiteralsOrElseTexts) {
  const auto read = parse_overrides({"++a", "[1, 2.5]", "b", "some/path.hdf", "c", "", "d", "'x'", "e", "None"});
  ASSERT_EQ(read.size(), 5u);
  EXPECT_EQ(read[0].first, "a");
  EXPECT_EQ(read[0].second.repr(), "[1, 2.5]");
  EXPECT_EQ(read[1].second.as_string(), "some/path.hdf");
  EXPECT_EQ(read[2].second.as_string(), "");
  EXPECT_EQ(read[3].second.as_string(), "x");
  EXPECT_TRUE(read[4].second.is_none());
  EXPECT_EQ(*read[0].second.span().file, "command line");
  EXPECT_THROW(parse_overrides({"++", "1"}), Error);
  EXPECT_THROW(parse_overrides({"a"}), Error);
}

}  // namespace
}  // namespace wende

#include "base/error.h"

#include <gtest/gtest.h>

namespace wende {
namespace {

TEST(Error, RendersPlacePathHintCodeAndFrames) {
  const auto file = std::make_shared<const std::string>("my.config");
  Error error(ExitStatus::kConfig, "unknown option 'drop_out'");
  error.at({file, 14, 3}, "network['fw0']['drop_out']")
      .hint("did you mean 'dropout'?")
      .code("C104")
      .frame("in layer 'fw0'");
  EXPECT_STREQ(error.what(),
               "my.config:14: network['fw0']['drop_out']: unknown option 'drop_out'\n"
               "  did you mean 'dropout'?        [WENDE-C104]\n"
               "  in layer 'fw0'");
}

TEST(Error, NamesWithNewlinesStayOnOneLine) {
  Error error(ExitStatus::kConfig, "bad");
  error.at({}, "network['a\nb']");
  EXPECT_STREQ(error.what(), "network['a\\x0ab']: bad");
}

TEST(Error, CollectorKeepsAllAndShowsTwenty) {
  ErrorCollector errors;
  for (int i = 0; i < 25; ++i) errors.run([&] { throw Error(ExitStatus::kConfig, "mistake " + std::to_string(i)); });
  try {
    errors.throw_if_any();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.diagnostics().size(), 25u);
    const std::string text = error.what();
    EXPECT_NE(text.find("mistake 19"), std::string::npos);
    EXPECT_EQ(text.find("mistake 20"), std::string::npos);
    EXPECT_NE(text.find("... and 5 more"), std::string::npos);
  }
}

TEST(DidYouMean, FindsSlipsOnly) {
  EXPECT_EQ(did_you_mean("drop_out", {"n_out", "dropout", "from"}), "did you mean 'dropout'?");
  EXPECT_EQ(did_you_mean("trian", {"eval", "train"}), "did you mean 'train'?");
  EXPECT_EQ(did_you_mean("recc", {"rec", "linear"}), "did you mean 'rec'?");
  EXPECT_EQ(did_you_mean("tahn", {"tan", "tanh", "atan"}), "did you mean 'tanh'?");
  EXPECT_EQ(did_you_mean("adamm", {"adadelta", "adam", "adamw"}), "did you mean 'adam'?");
  EXPECT_EQ(did_you_mean("ReLU", {"relu", "relu6"}), "did you mean 'relu'?");
  EXPECT_EQ(did_you_mean("banana", {"rec", "linear"}), "");
  EXPECT_EQ(did_you_mean("", {"rec"}), "");
}

}  // namespace
}  // namespace wende

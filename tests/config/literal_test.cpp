#include "config/literal.h"

#include <gtest/gtest.h>

namespace wende {
namespace {

TEST(Literal, ReadsEveryKind) {
  EXPECT_EQ(parse_literal("{'a': [1, 2.5, -3e-2], \"b\": (None, True,), 3: {1, 2}}").repr(),
            "{'a': [1, 2.5, -0.03], 'b': (None, True), 3: {1, 2}}");
  EXPECT_EQ(parse_literal("0x10").as_int(), 16);
  EXPECT_EQ(parse_literal("1_000").as_int(), 1000);
  EXPECT_EQ(parse_literal("(1)").as_int(), 1);
  EXPECT_EQ(parse_literal("1, 2").repr(), "(1, 2)");
  EXPECT_EQ(parse_literal("r'a\\n' \"b\\x41\\u00e4\"").as_string(), "a\\nbA\xc3\xa4");
  EXPECT_EQ(parse_literal("'''x\ny'''").as_string(), "x\ny");
}

TEST(Literal, RefusesTheRest) {
  for (const char* text :
       {"", "a", "1 +", "f(1)", "{1: 2, 3}", "[1", "'abc", "lambda: 1", "f'x'", "1.2.3", "0x", "--1"}) {
    EXPECT_THROW(parse_literal(text), Error) << text;
  }
  EXPECT_THROW(parse_literal(std::string(100000, '(')), Error);
}

TEST(Literal, ReadsConfigsWithPlaces) {
  std::vector<Diagnostic> warnings;
  const Value globals = parse_literal_config(
      "#!rnn.py\n'''doc'''\na = 1; b = 'x'  # comment\nnetwork = {\n  'fw': {'n_out': 3,\n  'n_out': 4}}\n",
      "my.config", warnings);
  EXPECT_EQ(globals.find("b")->as_string(), "x");
  const Value& n_out = *globals.find("network")->find("fw")->find("n_out");
  EXPECT_EQ(n_out.as_int(), 4);
  EXPECT_EQ(n_out.span().line, 6);
  EXPECT_EQ(n_out.path(), "network['fw']['n_out']");
  EXPECT_EQ(warnings.size(), 1u);
}

TEST(Literal, RefusesCodeInConfigs) {
  std::vector<Diagnostic> warnings;
  for (const char* text :
       {"import os\n", "a = 1\nb = a\n", "a = 1 + 2\n", "def f(): pass\n", "a == 1\n", "print('x')\n"}) {
    try {
      parse_literal_config(text, "my.config", warnings);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kConfig);
      EXPECT_TRUE(error.diagnostics()[0].span.known());
    }
  }
}

}  // namespace
}  // namespace wende

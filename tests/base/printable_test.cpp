#include "base/printable.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace wende {
namespace {

TEST(Printable, LeavesTextsAndEscapesControlBytes) {
  EXPECT_EQ(printable("a\tb\nc \xc3\xa4"), "a\tb\nc \xc3\xa4");
  EXPECT_EQ(printable("\x1b[31mred\x7f\rx\r\n"), "\\x1b[31mred\\x7f\\x0dx\r\n");
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
}

TEST(Printable, ErrorsAre) {
  const Error error = Error(ExitStatus::kMalformedInput, "sequence '\x1b[2J'").hint("\a");
  EXPECT_EQ(std::string(error.what()).find('\x1b'), std::string::npos) << error.what();
  EXPECT_EQ(std::string(error.what()).find('\a'), std::string::npos) << error.what();
}

}  // namespace
}  // namespace wende

#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/clock.h"
#include "base/error.h"

namespace wende {
namespace {

TEST(Json, WritesEscapedAndReadsBack) {
  Json json = Json::object();
  json.set("a\"\n", "tab\t\x01 \xc3\xa4 \xff").set("i", int64_t{9007199254740993}).set("x", 0.1).set("one", 1.0);
  json.set("nan", std::nan("")).set("list", Json::Array{1, true, Json()});
  EXPECT_EQ(json.dump(),
            "{\"a\\\"\\n\":\"tab\\t\\u0001 \xc3\xa4 \xef\xbf\xbd\",\"i\":9007199254740993,\"x\":0.1,\"one\":1.0,"
            "\"nan\":null,\"list\":[1,true,null]}");
  const Json back = Json::parse(json.dump(2));
  EXPECT_EQ(back.at("i").as_int(), 9007199254740993);
  EXPECT_EQ(back.at("x").as_double(), 0.1);
  EXPECT_EQ(back.at("list").items().size(), 3u);
  EXPECT_EQ(back.dump(), json.dump());
}

TEST(Json, ReadsEscapes) {
  EXPECT_EQ(Json::parse("\"\\u00e4\\ud83d\\ude00\\/\"").as_string(), "\xc3\xa4\xf0\x9f\x98\x80/");
}

TEST(Json, RefusesWhatTheStandardRefuses) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":1,}", "01", "1.", "+1", "nul", "\"a", "\"\\x\"", "1 2",
                           "{\"a\":1,\"a\":2}", "'a'", "[NaN]", "\"\\ud800\"", "\"\n\"", "-"}) {
    EXPECT_THROW(Json::parse(text), Error) << text;
  }
  EXPECT_THROW(Json::parse(std::string(100000, '[')), Error);
}

TEST(Clock, FormatsAsReturnn) {
  EXPECT_EQ(format_hms(3.9), "0:00:03");
  EXPECT_EQ(format_hms(26 * 3600 + 3 * 60 + 9), "26:03:09");
}

}  // namespace
}  // namespace wende

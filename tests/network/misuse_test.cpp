/// Every option of every layer class with values that cannot be right: an error of the config that names the layer and
/// the line, never anything else. Made from the schemas, so new options are in it from their first day.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "network_of.h"
#include "tested_option.h"

namespace wende {
namespace {

std::vector<std::string> own_options(const LayerClass& entry) {
  std::vector<std::string> names;
  for (const ArgsDoc::Field& field : entry.fields()) {
    names.push_back(field.name);
  }
  return names;
}

std::vector<std::string> general_options() {
  ArgsDoc doc;
  GeneralArgs general;
  general.fields(doc);
  std::vector<std::string> names;
  for (const ArgsDoc::Field& field : doc.fields) {
    if (field.name != "class") {
      names.push_back(field.name);
    }
  }
  return names;
}

std::vector<TestedOption> all_cases() {
  std::vector<TestedOption> cases;
  for (const std::string& name : LayerRegistry::instance().names()) {
    const LayerClass& entry = *LayerRegistry::instance().find(name);
    std::set<std::string> options;
    for (const std::vector<std::string>& names : {own_options(entry), general_options()}) {
      options.insert(names.begin(), names.end());
    }
    const std::string own = own_example(entry);
    for (const std::string& option : options) {
      if (!own.empty()) {
        cases.push_back({name, option, own});
      }
    }
  }
  return cases;
}

/// "": built; else the message. Any other exception, and any other status, fails.
std::string refusal(const TestedOption& test, const std::string& value, bool train) {
  try {
    network_of(config_with(test, "tested['" + test.option + "'] = " + value), {.train = train});
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.status(), ExitStatus::kConfig) << value << ": " << message;
    EXPECT_NE(message.find("test.config:"), std::string::npos) << value << ": " << message;
    EXPECT_NE(message.find("tested"), std::string::npos) << value << ": " << message;
    return message.empty() ? "an error without a message" : message;
  } catch (const std::exception& error) {
    ADD_FAILURE() << value << ": " << error.what();
  }
  return "";
}

class Misuse : public testing::TestWithParam<TestedOption> {};

TEST_P(Misuse, IsAnErrorOfTheConfigOrFits) {
  for (const char* value : {"{'nonsense': {1: 2}}", "lambda *args, **kwargs: {}", "-1.5", "'no such thing'", "[[None]]",
                            "-10**18", "float('nan')", "()", "True"}) {
    for (const bool train : {false, true}) {
      refusal(GetParam(), value, train);
    }
  }
}

/// What nothing can be made of must not pass without a word: whatever type an option takes, it is not all of these.
TEST_P(Misuse, NonsenseIsRefused) {
  const char* const nonsense[] = {"{'nonsense': {1: 2}}", "lambda *args, **kwargs: {}", "[[None]]"};
  EXPECT_TRUE(std::any_of(std::begin(nonsense), std::end(nonsense),
                          [](const char* value) { return !refusal(GetParam(), value, true).empty(); }));
}

INSTANTIATE_TEST_SUITE_P(EveryOption, Misuse, testing::ValuesIn(all_cases()), tested_option_name);

}  // namespace
}  // namespace wende

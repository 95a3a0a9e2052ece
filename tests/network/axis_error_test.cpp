#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "network_of.h"
#include "tested_option.h"

namespace wende {
namespace {

/// Options of these names hold axis descriptions in every class, but for what is said here.
bool names_axes(const std::string& layer, const std::string& option) {
  static const std::set<std::string> kNames = {
      "axis", "axes", "axis1", "axis2",         "red1",
      "red2", "var1", "var2",  "clip_max_axis", "scale_shift_by_sum_over_axis"};
  // Where a new axis goes; options of the other class of two that share a file.
  static const std::set<std::string> kOther = {"expand_dims.axis", "stack.axis", "transpose.axis1", "transpose.axis2"};
  return kNames.count(option) != 0 && kOther.count(layer + "." + option) == 0;
}

std::vector<TestedOption> all_cases() {
  std::vector<TestedOption> cases;
  for (const std::string& name : LayerRegistry::instance().names()) {
    const LayerClass& entry = *LayerRegistry::instance().find(name);
    const std::string own = own_example(entry);
    for (const ArgsDoc::Field& field : entry.fields()) {
      if (names_axes(name, field.name) && !own.empty()) {
        cases.push_back({name, field.name, own});
      }
    }
  }
  return cases;
}

class AxisError : public testing::TestWithParam<TestedOption> {};

/// Whoever mistypes an axis is shown the template, and what each of its axes is called.
TEST_P(AxisError, ShowsTheTemplate) {
  const std::string source = config_with(GetParam(), "tested.pop('axis', None)\ntested.pop('axes', None)\ntested['" +
                                                         GetParam().option + "'] = \"stag:nowhere\"");
  const std::string message = build_error(source);
  for (const char* part : {"stag:nowhere", "axis 0:", "dim:", "in layer 'tested'"}) {
    EXPECT_NE(message.find(part), std::string::npos) << "missing: " << part << "\nin: " << message;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryLayer, AxisError, testing::ValuesIn(all_cases()), tested_option_name);

}  // namespace
}  // namespace wende

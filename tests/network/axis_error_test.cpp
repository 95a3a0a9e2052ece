#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "layers/layer.h"
#include "network_of.h"

namespace wende {
namespace {

/// An option of a layer class that names axes, and an example dict of the class to put it into.
struct Case {
  std::string layer;
  std::string option;
  std::string example;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.layer << "['" << test.option << "']"; }

/// Options of these names hold axis descriptions in every class, but for what is said here.
bool names_axes(const std::string& layer, const std::string& option) {
  static const std::set<std::string> kNames = {
      "axis", "axes", "axis1", "axis2",         "red1",
      "red2", "var1", "var2",  "clip_max_axis", "scale_shift_by_sum_over_axis"};
  // Where a new axis goes; options of the other class of two that share a file.
  static const std::set<std::string> kOther = {"expand_dims.axis", "stack.axis", "transpose.axis1", "transpose.axis2"};
  return kNames.count(option) != 0 && kOther.count(layer + "." + option) == 0;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const std::string& name : LayerRegistry::instance().names()) {
    const LayerClass& entry = *LayerRegistry::instance().find(name);
    for (const ArgsDoc::Field& field : entry.fields()) {
      const auto own = std::find_if(entry.examples.begin(), entry.examples.end(), [&](const std::string& example) {
        return example.starts_with("{\"class\": \"" + name + "\"");
      });
      if (names_axes(name, field.name) && own != entry.examples.end()) {
        cases.push_back({name, field.name, *own});
      }
    }
  }
  return cases;
}

class AxisError : public testing::TestWithParam<Case> {};

/// Whoever mistypes an axis is shown the template, and what each of its axes is called.
TEST_P(AxisError, ShowsTheTemplate) {
  const std::string source = R"(
extern_data = {"data": {"dim": 5}, "classes": {"dim": 3, "sparse": True},
               "att": {"shape": (None, None, 1), "dim": 1, "batch_dim_axis": 2, "time_dim_axis": 0}}
tested = )" + GetParam().example +
                             "\ntested.pop('axis', None)\ntested.pop('axes', None)\ntested['" + GetParam().option +
                             R"('] = "stag:nowhere"
network = {"lstm": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"},
           "probs": {"class": "softmax", "n_out": 4, "target": "classes", "from": "data"},
           "output": {"class": "copy", "from": "tested"}, "tested": tested}
)";
  const std::string message = build_error(source);
  for (const char* part : {"stag:nowhere", "axis 0:", "dim:", "in layer 'tested'"}) {
    EXPECT_NE(message.find(part), std::string::npos) << "missing: " << part << "\nin: " << message;
  }
}

INSTANTIATE_TEST_SUITE_P(EveryLayer, AxisError, testing::ValuesIn(all_cases()),
                         [](const auto& info) { return info.param.layer + "_" + info.param.option; });

}  // namespace
}  // namespace wende

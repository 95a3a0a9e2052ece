#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "layers/layer.h"

namespace wende {

/// An option of a layer class, and an example dict of the class to put it into.
struct TestedOption {
  std::string layer;
  std::string option;
  std::string example;
};

inline void PrintTo(const TestedOption& test, std::ostream* out) { *out << test.layer << "['" << test.option << "']"; }

inline std::string tested_option_name(const testing::TestParamInfo<TestedOption>& info) {
  return info.param.layer + "_" + info.param.option;
}

/// The class's first example of itself; "" if it has none.
inline std::string own_example(const LayerClass& entry) {
  const auto own = std::find_if(entry.examples.begin(), entry.examples.end(), [&](const std::string& example) {
    return example.starts_with("{\"class\": \"" + entry.name + "\"");
  });
  return own == entry.examples.end() ? "" : *own;
}

/// A config whose layer "tested" is the example after `changes`, lines of Python about the dict `tested`.
inline std::string config_with(const TestedOption& test, const std::string& changes) {
  return R"(
extern_data = {"data": {"dim": 5}, "classes": {"dim": 3, "sparse": True},
               "att": {"shape": (None, None, 1), "dim": 1, "batch_dim_axis": 2, "time_dim_axis": 0}}
tested = )" +
         test.example + "\n" + changes + R"(
network = {"lstm": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"},
           "probs": {"class": "softmax", "n_out": 4, "target": "classes", "from": "data"},
           "output": {"class": "copy", "from": "tested"}, "tested": tested}
)";
}

}  // namespace wende

#include "dims/axes.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace wende {
namespace {

using Axes = std::vector<int>;

/// [B,T,3,F|4], as the axes case of the oracle has it.
Data four_axes() {
  Data data;
  data.name = "data";
  data.dims = {Dim::batch(), Dim::dynamic("time:data"), Dim::fixed(3, Dim::Kind::kSpatial, "static:spatial"),
               Dim::fixed(4, Dim::Kind::kFeature, "data:feature")};
  data.set_default_marks();
  return data;
}

/// [B,T,'width'[B],F|3]: two dynamic axes.
Data image() {
  Data data;
  data.name = "img";
  data.dims = {Dim::batch(), Dim::dynamic("time:img"), Dim::dynamic("width:img"), Dim::fixed(3)};
  data.set_default_marks();
  return data;
}

std::string message(const Data& data, const AxisDescription& axis, int behavior_version = 0) {
  try {
    axes_from_description(data, axis, behavior_version);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kConfig);
    return error.what();
  }
  return "no error";
}

TEST(Axes, EveryWordOnStaticSpatialAxis) {
  const Data data = four_axes();
  const std::vector<std::pair<AxisDescription, Axes>> cases = {
      {"*", {0, 1, 2, 3}},
      {"B", {0}},
      {"batch", {0}},
      {"T", {1}},
      {"time", {1}},
      {"T?", {1}},
      {"F", {3}},
      {"FEATURE", {3}},
      {"non_spatial", {3}},
      {"spatial", {1, 2}},
      {"S:0", {1}},
      {"S:1", {2}},
      {"S:-1", {2}},
      {"spatial:0", {1}},
      {"spatial:-2", {1}},
      {"dyn", {1}},
      {"dynamic", {1}},
      {"D:0", {1}},
      {"dyn:0", {1}},
      {"dynamic:-1", {1}},
      {"static", {2, 3}},
      {"static:0", {2}},
      {"static:-1", {3}},
      {"spatial_except_time", {2}},
      {"except_time", {2, 3}},
      {"except_batch", {1, 2, 3}},
      {"except_batch:0", {1}},
      {"dim:3", {2}},
      {"bt", {0, 1}},
      {"ftb", {0, 1, 3}},
      {"stag:DATA", {1}},
      {"stag-single:0:data", {1}},
      {"tag:feature", {3}},
      {"", {}},
      {AxisDescription(), {}},
      {int64_t{1}, {1}},
      {int64_t{-1}, {3}},
      {std::vector<AxisDescription>{"T", "F"}, {1, 3}},
      {std::vector<AxisDescription>{"S:1", "B"}, {2, 0}},
      {std::vector<AxisDescription>{"spatial_except_time", "static:-1", "F"}, {2, 3}},
  };
  for (const auto& [axis, expected] : cases) {
    EXPECT_EQ(axes_from_description(data, axis), expected) << axis.str();
  }
}

TEST(Axes, TwoDynamicAxes) {
  const Data data = image();
  EXPECT_EQ(axes_from_description(data, "spatial"), (Axes{1, 2}));
  EXPECT_EQ(axes_from_description(data, "dyn"), (Axes{1, 2}));
  EXPECT_EQ(axes_from_description(data, "dynamic:-1"), (Axes{2}));
  EXPECT_EQ(axes_from_description(data, "static"), (Axes{3}));
  EXPECT_EQ(axes_from_description(data, "except_time"), (Axes{2, 3}));
  EXPECT_EQ(axis_from_description(data, "stag:width"), 2);
}

TEST(Axes, WithoutTime) {
  const Data data = four_axes().without_axis(1);
  EXPECT_EQ(axes_from_description(data, "T?"), Axes{});
  EXPECT_EQ(axes_from_description(data, "static"), (Axes{1, 2}));
  EXPECT_NE(message(data, "T").find("no time axis: [B,3,F]"), std::string::npos);
}

TEST(Axes, ErrorsNameWhatTheInputHas) {
  const Data data = four_axes();
  EXPECT_NE(message(data, "Q").find("invalid axis 'Q'"), std::string::npos);
  EXPECT_NE(message(data, "Q").find("axis 1: T time S:0 D:0"), std::string::npos);
  EXPECT_NE(message(data, "feture").find("did you mean 'feature'?"), std::string::npos);
  Data plain = four_axes().without_axis(2);
  EXPECT_NE(message(plain, "S:3").find("input has 0 spatial axes besides time: [B,T,F]"), std::string::npos);
  EXPECT_NE(message(data, "dim:5").find("matches 0 axes"), std::string::npos);
  EXPECT_NE(message(data, int64_t{4}).find("out of range"), std::string::npos);
  EXPECT_THROW(axis_from_description(data, "spatial"), Error);
}

TEST(Axes, BehaviorVersions) {
  const Data data = four_axes();
  EXPECT_NE(message(data, int64_t{1}, 5).find("behavior_version 5"), std::string::npos);
  EXPECT_NE(message(data, "s:0", 7).find("behavior_version 7"), std::string::npos);
  EXPECT_EQ(message(data, "s:0", 6), "no error");
  EXPECT_EQ(message(data, "dim:3", 21), "no error");
}

}  // namespace
}  // namespace wende

#include "dims/axes.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>

#include "base/error.h"

namespace wende {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// "[B,T,F]": only the roles, for short messages.
std::string roles(const Data& data) {
  std::string text = "[";
  for (int i = 0; i < data.rank(); ++i) {
    const Dim& dim = data.dims[static_cast<size_t>(i)];
    text += i ? "," : "";
    text += dim.is_batch()           ? "B"
            : i == data.time_axis    ? "T"
            : i == data.feature_axis ? "F"
            : dim.is_static()        ? std::to_string(dim.size())
                                     : "'" + dim.name() + "'";
  }
  return text + "]";
}

const std::vector<std::string>& known_words() {
  static const std::vector<std::string> kWords = {
      "*",           "b",         "batch",   "t",           "time",           "t?",
      "time?",       "f",         "feature", "non_spatial", "spatial",        "s:0",
      "dyn",         "dynamic",   "d:0",     "static",      "dim:",           "except_time",
      "stag:",       "static:-1", "tag:",    "btf",         "stag-single:0:", "spatial_except_time",
      "except_batch"};
  return kWords;
}

Error unknown_axis(const Data& data, const std::string& text) {
  Error error(ExitStatus::kConfig,
              fmt::format("invalid axis '{}'; the input {} has {}; known are B, T, T?, F, spatial, S:i, dyn, D:i, "
                          "static, static:i, spatial_except_time, except_time, except_batch, dim:N, stag:NAME, "
                          "tag:NAME, *",
                          text, roles(data), describe_axes(data)));
  error.hint(did_you_mean(lower(text), known_words()));
  return error;
}

Error missing(const Data& data, const char* what, const std::string& text) {
  return Error(ExitStatus::kConfig, fmt::format("axis '{}': the input has no {} axis: {}; {}", text, what, roles(data),
                                                describe_axes(data)));
}

int parse_index(const std::string& digits, const Data& data, const std::string& text) {
  int index = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (code != std::errc() || end != digits.data() + digits.size()) {
    throw unknown_axis(data, text);
  }
  return index;
}

std::vector<int> except(const Data& data, const std::vector<int>& without) {
  std::vector<int> axes;
  for (int i = 0; i < data.rank(); ++i) {
    if (std::find(without.begin(), without.end(), i) == without.end()) {
      axes.push_back(i);
    }
  }
  return axes;
}

std::vector<int> spatial_except_time(const Data& data) {
  std::vector<int> axes = data.spatial_axes();
  std::erase(axes, data.time_axis);
  return axes;
}

int need_batch(const Data& data, const std::string& text) {
  if (!data.has_batch()) {
    throw missing(data, "batch", text);
  }
  return data.batch_axis();
}

int need_time(const Data& data, const std::string& text) {
  if (!data.has_time()) {
    throw missing(data, "time", text);
  }
  return data.time_axis;
}

int pick(const Data& data, const std::vector<int>& axes, int index, const char* what, const std::string& text) {
  const int count = static_cast<int>(axes.size());
  if (index >= count || index < -count) {
    throw Error(ExitStatus::kConfig,
                fmt::format("axis '{}' is out of range: input has {} {}: {}; {}", text,
                            std::string(what) == "spatial" ? static_cast<int>(spatial_except_time(data).size()) : count,
                            std::string(what) == "spatial" ? "spatial axes besides time" : std::string(what) + " axes",
                            roles(data), describe_axes(data)));
  }
  return axes[static_cast<size_t>(index < 0 ? index + count : index)];
}

/// Is `part` in the dim's name, or, of a padded time axis and the like, in the name of what it was made of?
bool is_named(const Dim& dim, const std::string& part) {
  if (lower(dim.name()).find(part) != std::string::npos) {
    return true;
  }
  return dim.op() != Dim::Op::kRoot && std::any_of(dim.operands().begin(), dim.operands().end(),
                                                   [&](const Dim& operand) { return is_named(operand, part); });
}

/// Axes by (part of) the name of their dim; `single`: which of several hits, else the hit must be unique.
std::vector<int> by_name(const Data& data, const std::vector<int>& among, const std::string& part,
                         std::optional<int> single, const std::string& text) {
  std::vector<int> hits;
  for (const int axis : among) {
    if (is_named(data.dims[static_cast<size_t>(axis)], part)) {
      hits.push_back(axis);
    }
  }
  if (single) {
    return {pick(data, hits, *single, "matching", text)};
  }
  if (hits.size() != 1) {
    throw Error(ExitStatus::kConfig, fmt::format("axis '{}' matches {} axes, must be 1; the input has {}", text,
                                                 hits.size(), describe_axes(data)));
  }
  return hits;
}

/// The words that name a set of axes; nullopt: not one of them.
std::optional<std::vector<int>> by_word(const Data& data, const std::string& word, const std::string& text) {
  if (word == "*") {
    return except(data, {});
  }
  if (word == "b" || word == "batch") {
    return std::vector<int>{need_batch(data, text)};
  }
  if (word == "t" || word == "time") {
    return std::vector<int>{need_time(data, text)};
  }
  if (word == "t?" || word == "time?") {
    return data.has_time() ? std::vector<int>{data.time_axis} : std::vector<int>{};
  }
  if (word == "f" || word == "feature" || word == "non_spatial") {
    return data.feature_axis >= 0 ? std::vector<int>{data.feature_axis} : std::vector<int>{};
  }
  if (word == "s" || word == "spatial") {
    return data.spatial_axes();
  }
  if (word == "d" || word == "dyn" || word == "dynamic") {
    return data.dynamic_axes();
  }
  if (word == "static") {
    return data.static_axes();
  }
  if (word == "spatial_except_time") {
    need_time(data, text);
    return spatial_except_time(data);
  }
  if (word == "except_time") {
    return except(data, {need_batch(data, text), data.time_axis});
  }
  if (word == "except_batch") {
    return except(data, {need_batch(data, text)});
  }
  return std::nullopt;
}

/// "s:1", "dim:5", "stag:lstm", ...; nullopt: no such prefix.
std::optional<std::vector<int>> by_prefix(const Data& data, const std::string& word, const std::string& text,
                                          int behavior_version) {
  const size_t colon = word.find(':');
  if (colon == std::string::npos) {
    return std::nullopt;
  }
  const std::string head = word.substr(0, colon);
  const std::string tail = word.substr(colon + 1);
  if (head == "stag" || head == "tag") {
    return by_name(data, head == "stag" ? data.spatial_axes() : except(data, {}), tail, std::nullopt, text);
  }
  if (head == "stag-single") {
    const size_t second = tail.find(':');
    if (second == std::string::npos) {
      return std::nullopt;
    }
    return by_name(data, data.spatial_axes(), tail.substr(second + 1), parse_index(tail.substr(0, second), data, text),
                   text);
  }
  if (head == "dim") {
    const int size = parse_index(tail, data, text);
    std::vector<int> hits;
    for (const int axis : data.static_axes()) {
      if (data.dims[static_cast<size_t>(axis)].size() == size) {
        hits.push_back(axis);
      }
    }
    if (hits.size() != 1) {
      throw Error(ExitStatus::kConfig, fmt::format("axis '{}' matches {} axes, must be 1; the input has {}", text,
                                                   hits.size(), describe_axes(data)));
    }
    return hits;
  }
  static const std::map<std::string, const char*> kOrdered = {
      {"s", "spatial"},     {"spatial", "spatial"},       {"d", "dynamic"}, {"dyn", "dynamic"}, {"dynamic", "dynamic"},
      {"static", "static"}, {"except_batch", "non-batch"}};
  const auto kind = kOrdered.find(head);
  if (kind == kOrdered.end()) {
    return std::nullopt;
  }
  const int index = parse_index(tail, data, text);
  if (behavior_version >= 7) {
    throw Error(ExitStatus::kConfig, fmt::format("axis '{}' depends on the order of axes, which behavior_version {} "
                                                 "does not allow; name the axis instead: {}",
                                                 text, behavior_version, describe_axes(data)));
  }
  return std::vector<int>{pick(data, *by_word(data, head, text), index, kind->second, text)};
}

std::vector<int> by_text(const Data& data, const std::string& text, int behavior_version) {
  const std::string word = lower(text);
  if (word.empty()) {
    return {};
  }
  if (const auto axes = by_word(data, word, text)) {
    return *axes;
  }
  if (const auto axes = by_prefix(data, word, text, behavior_version)) {
    return *axes;
  }
  if (word.find_first_not_of("btf") != std::string::npos) {
    throw unknown_axis(data, text);
  }
  std::vector<int> axes;
  if (word.find('b') != std::string::npos) {
    axes.push_back(need_batch(data, text));
  }
  if (word.find('t') != std::string::npos) {
    axes.push_back(need_time(data, text));
  }
  if (word.find('f') != std::string::npos && data.feature_axis >= 0) {
    axes.push_back(data.feature_axis);
  }
  return axes;
}

}  // namespace

std::string AxisDescription::str() const {
  if (const auto* index = std::get_if<int64_t>(&what)) {
    return std::to_string(*index);
  }
  if (const auto* text = std::get_if<std::string>(&what)) {
    return "'" + *text + "'";
  }
  if (const auto* parts = std::get_if<std::vector<AxisDescription>>(&what)) {
    std::string joined;
    for (const AxisDescription& part : *parts) {
      joined += (joined.empty() ? "" : ", ") + part.str();
    }
    return "[" + joined + "]";
  }
  return "None";
}

std::vector<int> axes_from_description(const Data& data, const AxisDescription& description, int behavior_version) {
  if (const auto* text = std::get_if<std::string>(&description.what)) {
    return by_text(data, *text, behavior_version);
  }
  if (const auto* index = std::get_if<int64_t>(&description.what)) {
    if (behavior_version >= 5) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("axis {} as a number is not allowed from behavior_version 5 on; name "
                              "the axis instead: {}",
                              *index, describe_axes(data)));
    }
    if (*index >= data.rank() || *index < -data.rank()) {
      throw Error(ExitStatus::kConfig, fmt::format("axis {} is out of range: the input has rank {}: {}", *index,
                                                   data.rank(), describe_axes(data)));
    }
    return {static_cast<int>(*index < 0 ? *index + data.rank() : *index)};
  }
  std::vector<int> axes;
  if (const auto* parts = std::get_if<std::vector<AxisDescription>>(&description.what)) {
    for (const AxisDescription& part : *parts) {
      for (const int axis : axes_from_description(data, part, behavior_version)) {
        if (std::find(axes.begin(), axes.end(), axis) == axes.end()) {
          axes.push_back(axis);
        }
      }
    }
  }
  return axes;
}

int axis_from_description(const Data& data, const AxisDescription& description, int behavior_version) {
  const std::vector<int> axes = axes_from_description(data, description, behavior_version);
  if (axes.size() != 1) {
    throw Error(ExitStatus::kConfig, fmt::format("axis {} selects {} axes, must be 1; the input {} has {}",
                                                 description.str(), axes.size(), roles(data), describe_axes(data)));
  }
  return axes.front();
}

std::string describe_axes(const Data& data) {
  const std::vector<int> spatial = data.spatial_axes();
  const std::vector<int> dynamic = data.dynamic_axes();
  const std::vector<int> fixed = data.static_axes();
  const auto numbered = [](const std::vector<int>& axes, int axis, const char* word) {
    const auto found = std::find(axes.begin(), axes.end(), axis);
    return found == axes.end() ? std::string() : fmt::format(" {}:{}", word, found - axes.begin());
  };
  std::string text;
  for (int i = 0; i < data.rank(); ++i) {
    const Dim& dim = data.dims[static_cast<size_t>(i)];
    text += fmt::format("{}axis {}:", i ? "; " : "", i);
    text += dim.is_batch() ? " B batch" : "";
    text += i == data.time_axis ? " T time" : "";
    text += i == data.feature_axis ? " F feature" : "";
    text += numbered(spatial, i, "S") + numbered(dynamic, i, "D") + numbered(fixed, i, "static");
    text += dim.is_static() ? fmt::format(" dim:{}", dim.size()) : "";
    text += !dim.is_batch() && !dim.name().empty() ? fmt::format(" '{}'", dim.name()) : "";
  }
  return text.empty() ? "no axes" : text;
}

}  // namespace wende

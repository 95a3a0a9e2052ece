#include "dims/data.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"

namespace wende {

int Data::batch_axis() const {
  for (int i = 0; i < rank(); ++i) {
    if (dims[static_cast<size_t>(i)].is_batch()) {
      return i;
    }
  }
  return -1;
}

Dim Data::time_dim() const { return has_time() ? dims[static_cast<size_t>(time_axis)] : Dim(); }

Dim Data::feature_or_sparse_dim() const {
  if (sparse()) {
    return sparse_dim;
  }
  return feature_axis >= 0 ? dims[static_cast<size_t>(feature_axis)] : Dim();
}

std::vector<int> Data::dynamic_axes() const {
  std::vector<int> axes;
  for (int i = 0; i < rank(); ++i) {
    const Dim& dim = dims[static_cast<size_t>(i)];
    if (!dim.is_batch() && dim.is_dynamic()) {
      axes.push_back(i);
    }
  }
  return axes;
}

std::vector<int> Data::spatial_axes() const {
  std::vector<int> axes;
  for (int i = 0; i < rank(); ++i) {
    const Dim& dim = dims[static_cast<size_t>(i)];
    if (!dim.is_batch() && (i != feature_axis || i == time_axis || dim.is_dynamic())) {
      axes.push_back(i);
    }
  }
  return axes;
}

std::vector<int> Data::static_axes() const {
  std::vector<int> axes;
  for (int i = 0; i < rank(); ++i) {
    const Dim& dim = dims[static_cast<size_t>(i)];
    if (!dim.is_batch() && dim.is_static()) {
      axes.push_back(i);
    }
  }
  return axes;
}

int Data::axis_of(const Dim& dim) const {
  for (int i = 0; i < rank(); ++i) {
    if (dims[static_cast<size_t>(i)] == dim) {
      return i;
    }
  }
  return -1;
}

Data Data::with_name(std::string new_name) const {
  Data data = *this;
  data.name = std::move(new_name);
  return data;
}

Data Data::without_axis(int axis) const {
  Data data = *this;
  data.dims.erase(data.dims.begin() + axis);
  const auto moved = [axis](int mark) { return mark == axis ? -1 : mark > axis ? mark - 1 : mark; };
  data.time_axis = moved(time_axis);
  data.feature_axis = moved(feature_axis);
  return data;
}

Data Data::with_axis(int at, Dim dim) const {
  Data data = *this;
  data.dims.insert(data.dims.begin() + at, std::move(dim));
  data.time_axis += time_axis >= at ? 1 : 0;
  data.feature_axis += feature_axis >= at ? 1 : 0;
  return data;
}

Data Data::with_feature(Dim dim) const {
  Data data = *this;
  if (feature_axis >= 0) {
    data.dims[static_cast<size_t>(feature_axis)] = std::move(dim);
  } else {
    data.dims.push_back(std::move(dim));
    data.feature_axis = data.rank() - 1;
  }
  return data;
}

Data Data::permuted(const std::vector<int>& order) const {
  Data data = *this;
  data.time_axis = data.feature_axis = -1;
  for (size_t i = 0; i < order.size(); ++i) {
    data.dims[i] = dims.at(static_cast<size_t>(order[i]));
    if (order[i] == time_axis) {
      data.time_axis = static_cast<int>(i);
    }
    if (order[i] == feature_axis) {
      data.feature_axis = static_cast<int>(i);
    }
  }
  return data;
}

void Data::set_default_marks() {
  time_axis = feature_axis = -1;
  const std::vector<int> dynamic = dynamic_axes();
  if (!dynamic.empty()) {
    time_axis = dynamic.front();
  } else {
    for (int i = 0; i < rank() && time_axis < 0; ++i) {
      if (dims[static_cast<size_t>(i)].kind() == Dim::Kind::kSpatial) {
        time_axis = i;
      }
    }
  }
  if (sparse()) {
    return;
  }
  for (const int axis : static_axes()) {
    if (axis != time_axis) {
      feature_axis = axis;
    }
  }
}

std::string Data::str() const {
  std::string text = "[";
  for (int i = 0; i < rank(); ++i) {
    text += i ? "," : "";
    text += i == time_axis ? "T|" : "";
    text += i == feature_axis ? "F|" : "";
    text += dims[static_cast<size_t>(i)].str();
  }
  text += fmt::format("] {}", name_of(dtype));
  if (sparse()) {
    text += " sparse " + sparse_dim.str();
  }
  return text;
}

namespace {

bool is_one(const Dim& dim) { return dim.is_static() && dim.size() == 1; }

/// The axis of `common` that axis `axis` of `source` stands for; -1 = none yet.
int matching_axis(const Data& common, const Data& source, int axis, const std::vector<bool>& taken) {
  const Dim& dim = source.dims[static_cast<size_t>(axis)];
  if (dim.is_batch()) {
    return common.batch_axis();
  }
  if (axis == source.feature_axis && common.feature_axis >= 0) {
    return common.feature_axis;
  }
  const int same = common.axis_of(dim);
  if (same >= 0) {
    return same;
  }
  for (int i = 0; i < common.rank(); ++i) {
    const Dim& other = common.dims[static_cast<size_t>(i)];
    if (!taken[static_cast<size_t>(i)] && i != common.feature_axis && !other.is_batch() &&
        (other.same_size(dim) || (is_one(dim) && i == common.time_axis && axis == source.time_axis))) {
      return i;
    }
  }
  return -1;
}

int place_for_new_axis(const Data& common, const Dim& dim, bool feature) {
  if (dim.is_batch()) {
    return 0;
  }
  if (feature) {
    return common.rank();
  }
  return common.feature_axis >= 0 ? common.feature_axis : common.rank();
}

}  // namespace

Data common_layout(const std::vector<Data>& sources, const std::string& name) {
  if (sources.empty()) {
    throw Error(ExitStatus::kConfig, "a layer of this class needs an input, 'from' names none");
  }
  const auto largest = std::max_element(sources.begin(), sources.end(),
                                        [](const Data& a, const Data& b) { return a.rank() < b.rank(); });
  Data common = largest->with_name(name);
  for (const Data& source : sources) {
    if (&source == &*largest) {
      continue;
    }
    std::vector<bool> taken(common.dims.size(), false);
    for (int axis = 0; axis < source.rank(); ++axis) {
      const Dim& dim = source.dims[static_cast<size_t>(axis)];
      int at = matching_axis(common, source, axis, taken);
      if (at < 0) {
        const bool feature = axis == source.feature_axis;
        at = place_for_new_axis(common, dim, feature);
        common = common.with_axis(at, dim);
        taken.insert(taken.begin() + at, false);
        common.feature_axis = feature ? at : common.feature_axis;
        common.time_axis = common.time_axis < 0 && axis == source.time_axis ? at : common.time_axis;
      } else if (is_one(common.dims[static_cast<size_t>(at)])) {
        common.dims[static_cast<size_t>(at)] = dim;
      }
      taken[static_cast<size_t>(at)] = true;
    }
    common.available_for_inference &= source.available_for_inference;
  }
  return common;
}

}  // namespace wende

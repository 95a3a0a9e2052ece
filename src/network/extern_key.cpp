#include "network/extern_key.h"

#include <fmt/core.h>

#include <algorithm>

#include "config/args.h"
#include "network/construction.h"

namespace wende {
namespace {

const std::vector<std::string>& known_options() {
  static const std::vector<std::string> kKnown = {
      "dim",     "shape",    "sparse",     "dtype",    "batch_dim_axis",   "time_dim_axis", "feature_dim_axis",
      "dims",    "dim_tags", "sparse_dim", "time_dim", "same_dim_tags_as", "feature_dim",   "available_for_inference",
      "version", "batch",    "name",       "vocab",    "size_placeholder", "beam",          "auto_create_placeholders"};
  return kKnown;
}

/// An axis that may be None: -1.
std::optional<int> axis_of(const Value* value) {
  if (!value) {
    return std::nullopt;
  }
  return value->is_none() ? -1 : static_cast<int>(value->as_int());
}

/// (dim, ndim): 1 = sparse sequence, 2 = dense sequence, more = further dynamic axes.
ExternKey from_pair(const Value& pair) {
  if (pair.items().size() != 2) {
    throw pair.error("expected (dim, ndim), got " + pair.repr());
  }
  ExternKey key;
  key.place = pair;
  key.dim = positive_size(pair.items()[0]);
  const int64_t ndim = positive_size(pair.items()[1]);
  key.sparse = ndim == 1;
  key.shape.assign(static_cast<size_t>(std::max<int64_t>(1, ndim - 1)), -1);
  if (!key.sparse) {
    key.shape.push_back(*key.dim);
  }
  return key;
}

void check_options(const Value& dict) {
  for (const std::string& key : dict.keys()) {
    if (std::find(known_options().begin(), known_options().end(), key) == known_options().end()) {
      throw dict.find(key)
          ->error("unknown option '" + key + "' of a data key")
          .hint(did_you_mean(key, known_options()));
    }
  }
  for (const char* internal : {"size_placeholder", "batch", "beam"}) {
    if (const Value* value = given(dict, internal)) {
      throw value->error(fmt::format("'{}' of a data key is internal in RETURNN and cannot be given", internal));
    }
  }
}

Value dim_tag(const Value& value) {
  if (value.kind() != Value::Kind::kDim) {
    throw value.error("expected a dim tag, got " + value.repr());
  }
  return value;
}

void read_dims(const Value& dict, ExternKey& key) {
  for (const char* name : {"dim_tags", "dims"}) {
    if (const Value* tags = given(dict, name)) {
      if (given(dict, "shape")) {
        throw tags->error(fmt::format("'{}' and 'shape' are given; one of them is enough", name));
      }
      key.dim_tags = tags->items();
      for (const Value& tag : key.dim_tags) {
        if (tag.kind() != Value::Kind::kDim && tag.kind() != Value::Kind::kInt) {
          throw tag.error(fmt::format("an entry of '{}' is a dim tag or an int, got {}", name, tag.repr()));
        }
      }
      return;
    }
  }
}

void read_shape(const Value& dict, ExternKey& key) {
  if (dict.find("dim_tags") || dict.find("dims")) {
    return;
  }
  if (const Value* shape = given(dict, "shape")) {
    for (const Value& size : items_of(*shape)) {
      key.shape.push_back(size.is_none() ? -1 : positive_size(size));
    }
  } else if (!dict.find("shape")) {
    const bool unknown_dim = !key.dim && dict.find("dim") != nullptr;
    if (!key.sparse && !key.dim && !unknown_dim) {
      throw dict.error("a dense data key needs dim or shape");
    }
    key.shape = key.sparse ? std::vector<int64_t>{-1} : std::vector<int64_t>{-1, key.dim.value_or(-1)};
    if (key.time_axis && *key.time_axis < 0) {
      key.shape.erase(key.shape.begin());
    }
    if (unknown_dim && !key.sparse && !key.feature_axis) {
      key.feature_axis = static_cast<int>(key.shape.size());
    }
  }
  if (!key.dim && !key.sparse && !key.shape.empty() && key.shape.back() > 0) {
    key.dim = key.shape.back();
  }
}

void read_axes(const Value& dict, ExternKey& key) {
  if (const Value* axis = dict.find("batch_dim_axis")) {
    key.batch_axis = axis->is_none() ? std::nullopt : axis_of(axis);
  }
  key.time_axis = axis_of(dict.find("time_dim_axis"));
  key.feature_axis = axis_of(dict.find("feature_dim_axis"));
  if (const Value* dim = given(dict, "time_dim")) {
    key.time_dim = dim_tag(*dim);
  }
  if (const Value* dim = given(dict, "feature_dim")) {
    key.feature_dim = dim_tag(*dim);
  }
}

ExternKey from_dict(const Value& dict) {
  check_options(dict);
  ExternKey key;
  key.place = dict;
  if (const Value* dim = given(dict, "dim")) {
    key.dim = positive_size(*dim);
  }
  if (const Value* sparse = given(dict, "sparse")) {
    key.sparse = sparse->as_bool();
  }
  if (const Value* dim = given(dict, "sparse_dim")) {
    key.sparse = true;
    if (dim->kind() == Value::Kind::kInt) {
      key.dim = positive_size(*dim);
    } else {
      key.sparse_dim = dim_tag(*dim);
      if (const Value* size = given(*dim, "dimension")) {
        key.dim = size->as_int();
      }
    }
  }
  if (const Value* dtype = given(dict, "dtype")) {
    key.dtype = dtype->as_string();
  }
  if (const Value* flag = given(dict, "available_for_inference")) {
    key.available_for_inference = flag->as_bool();
  }
  if (const Value* tags = given(dict, "same_dim_tags_as")) {
    tags->entries();
    key.shared_tags = *tags;
  }
  read_axes(dict, key);
  read_dims(dict, key);
  read_shape(dict, key);
  // "dim": None says that nobody knows; reinterpret_data with set_sparse_dim does later.
  if (key.sparse && !key.dim && !dict.find("dim")) {
    throw dict.error("a sparse data key needs dim, the number of classes");
  }
  return key;
}

}  // namespace

int64_t positive_size(const Value& value) {
  const int64_t size = value.as_int();
  if (size <= 0) {
    throw value.error(fmt::format("dim must be > 0, got {}", size));
  }
  return size;
}

ExternKey ExternKey::from_value(const Value& value) {
  if (value.is_dict()) {
    return from_dict(value);
  }
  if (value.is_sequence()) {
    return from_pair(value);
  }
  throw value.error(fmt::format("a data key must be a dict or (dim, ndim), got {}", value.type_name()));
}

ExternKey ExternKey::plain(const Value& place, int64_t dim, bool sparse) {
  ExternKey key;
  key.place = place;
  key.dim = dim;
  key.sparse = sparse;
  key.shape = sparse ? std::vector<int64_t>{-1} : std::vector<int64_t>{-1, dim};
  return key;
}

}  // namespace wende

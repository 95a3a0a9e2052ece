#include <fmt/core.h>

#include <algorithm>

#include "network/network.h"

namespace wende {
namespace {

/// What one key's entry says, before dims are made.
struct KeyEntry {
  Value place;
  std::vector<int64_t> shape;  ///< without batch; -1 = dynamic
  std::optional<int64_t> dim;
  bool sparse = false;
  std::optional<std::string> dtype;
  int batch_axis = 0;
  std::optional<int> time_axis, feature_axis;  ///< counted with batch; -1 = none
  std::optional<bool> available_for_inference;
  Value shared_tags;
};

int64_t positive(const Value& value) {
  const int64_t size = value.as_int();
  if (size <= 0) {
    throw value.error(fmt::format("dim must be > 0, got {}", size));
  }
  return size;
}

/// (dim, ndim): 1 = sparse sequence, 2 = dense sequence, more = further dynamic axes.
KeyEntry from_pair(const Value& pair) {
  if (pair.items().size() != 2) {
    throw pair.error("expected (dim, ndim), got " + pair.repr());
  }
  KeyEntry entry;
  entry.place = pair;
  entry.dim = positive(pair.items()[0]);
  const int64_t ndim = positive(pair.items()[1]);
  entry.sparse = ndim == 1;
  entry.shape.assign(static_cast<size_t>(std::max<int64_t>(1, ndim - 1)), -1);
  if (!entry.sparse) {
    entry.shape.push_back(*entry.dim);
  }
  return entry;
}

std::optional<int> axis_of(const Value* value) {
  if (!value) {
    return std::nullopt;
  }
  return value->is_none() ? -1 : static_cast<int>(value->as_int());
}

const std::vector<std::string>& known_options() {
  static const std::vector<std::string> kKnown = {"dim",
                                                  "shape",
                                                  "sparse",
                                                  "dtype",
                                                  "batch_dim_axis",
                                                  "time_dim_axis",
                                                  "feature_dim_axis",
                                                  "same_dim_tags_as",
                                                  "available_for_inference",
                                                  "dim_tags",
                                                  "dims",
                                                  "sparse_dim",
                                                  "vocab",
                                                  "size_placeholder",
                                                  "auto_create_placeholders",
                                                  "beam",
                                                  "name",
                                                  "feature_dim",
                                                  "time_dim",
                                                  "batch"};
  return kKnown;
}

void check_known(const Value& dict) {
  for (const std::string& key : dict.keys()) {
    if (std::find(known_options().begin(), known_options().end(), key) == known_options().end()) {
      throw dict.find(key)
          ->error("unknown option '" + key + "' of a data key")
          .hint(did_you_mean(key, known_options()));
    }
  }
}

KeyEntry from_dict(const Value& dict) {
  KeyEntry entry;
  entry.place = dict;
  check_known(dict);
  for (const char* tags : {"dim_tags", "dims"}) {
    if (const Value* value = dict.find(tags)) {
      throw value->error(
          fmt::format("'{}' with dim tags is not supported by Wende " WENDE_VERSION "; use shape and dim", tags));
    }
  }
  const auto given = [&dict](const char* key) -> const Value* {
    const Value* value = dict.find(key);
    return value && !value->is_none() ? value : nullptr;
  };
  if (const Value* dim = given("dim")) {
    entry.dim = positive(*dim);
  }
  if (const Value* sparse = given("sparse")) {
    entry.sparse = sparse->as_bool();
  }
  if (const Value* dtype = given("dtype")) {
    entry.dtype = dtype->as_string();
  }
  if (const Value* axis = given("batch_dim_axis")) {
    entry.batch_axis = static_cast<int>(axis->as_int());
  }
  entry.time_axis = axis_of(dict.find("time_dim_axis"));
  entry.feature_axis = axis_of(dict.find("feature_dim_axis"));
  if (const Value* flag = given("available_for_inference")) {
    entry.available_for_inference = flag->as_bool();
  }
  if (const Value* tags = given("same_dim_tags_as")) {
    entry.shared_tags = *tags;
  }
  if (const Value* shape = given("shape")) {
    for (const Value& size : shape->is_sequence() ? shape->items() : std::vector<Value>{*shape}) {
      entry.shape.push_back(size.is_none() ? -1 : positive(size));
    }
  } else if (!dict.find("shape")) {
    if (!entry.sparse && !entry.dim) {
      throw dict.error("a dense data key needs dim or shape");
    }
    entry.shape = entry.sparse ? std::vector<int64_t>{-1} : std::vector<int64_t>{-1, *entry.dim};
    if (entry.time_axis && *entry.time_axis < 0) {
      entry.shape.erase(entry.shape.begin());
    }
  }
  if (!entry.dim && !entry.sparse && !entry.shape.empty() && entry.shape.back() > 0) {
    entry.dim = entry.shape.back();
  }
  if (entry.sparse && !entry.dim) {
    throw dict.error("a sparse data key needs dim, the number of classes");
  }
  return entry;
}

class Builder {
 public:
  explicit Builder(ExternData& data) : data_(data), batch_(Dim::batch()) {}

  void add(const std::string& key, const KeyEntry& entry) {
    Data data;
    data.name = "data:" + key;
    data.dtype = entry.dtype ? dtype(entry) : entry.sparse ? DType::kInt32 : DType::kFloat32;
    add_dims(key, entry, data);
    if (entry.sparse) {
      data.sparse_dim = Dim::fixed(*entry.dim, Dim::Kind::kFeature, key + ":sparse-dim");
    }
    data.set_default_marks();
    set_marks(entry, data);
    data.available_for_inference = entry.available_for_inference.value_or(key == data_.default_input);
    data_.keys[key] = std::move(data);
  }

 private:
  static DType dtype(const KeyEntry& entry) {
    try {
      return dtype_from_name(*entry.dtype);
    } catch (Error& error) {
      throw entry.place.error(error.diagnostics().back().message);
    }
  }

  void add_dims(const std::string& key, const KeyEntry& entry, Data& data) {
    const int rank = static_cast<int>(entry.shape.size());
    if (entry.batch_axis < 0 || entry.batch_axis > rank) {
      throw entry.place.error(fmt::format("batch_dim_axis {} is outside 0..{}", entry.batch_axis, rank));
    }
    int dynamic = 0;
    for (int i = 0; i < rank; ++i) {
      const int64_t size = entry.shape[static_cast<size_t>(i)];
      if (size < 0) {
        data.dims.push_back(dynamic_dim(key, entry, dynamic++));
      } else if (i == rank - 1 && !entry.sparse) {
        if (entry.dim && *entry.dim != size) {
          throw entry.place.error(fmt::format("dim {} does not fit to shape, whose last axis is {}", *entry.dim, size));
        }
        data.dims.push_back(Dim::fixed(size, Dim::Kind::kFeature, key + ":feature"));
      } else {
        data.dims.push_back(Dim::fixed(size, Dim::Kind::kSpatial, fmt::format("{}:static:{}", key, i)));
      }
    }
    data.dims.insert(data.dims.begin() + entry.batch_axis, batch_);
  }

  /// The first dynamic axis is the time axis; "same_dim_tags_as" {"t": tag} shares it between keys of an equal tag.
  Dim dynamic_dim(const std::string& key, const KeyEntry& entry, int index) {
    const std::string name =
        index == 0 ? "time:var:extern_data:" + key : fmt::format("spatial{}:var:extern_data:{}", index, key);
    if (index > 0 || !entry.shared_tags.is_dict()) {
      return Dim::dynamic(name);
    }
    for (const auto& [what, tag] : entry.shared_tags.entries()) {
      if (!what.is_string() || (what.as_string() != "t" && what.as_string() != "T" && what.as_string() != "time")) {
        continue;
      }
      for (const auto& [other, dim] : shared_) {
        if (other == tag) {
          return dim;
        }
      }
      shared_.emplace_back(tag, Dim::dynamic(name));
      return shared_.back().second;
    }
    return Dim::dynamic(name);
  }

  static void set_marks(const KeyEntry& entry, Data& data) {
    const auto checked = [&](int axis, const char* what) {
      if (axis >= data.rank()) {
        throw entry.place.error(fmt::format("{} {} is outside of rank {}", what, axis, data.rank()));
      }
      return axis < 0 ? -1 : axis;
    };
    if (entry.time_axis) {
      data.time_axis = checked(*entry.time_axis, "time_dim_axis");
    }
    if (entry.feature_axis && !data.sparse()) {
      data.feature_axis = checked(*entry.feature_axis, "feature_dim_axis");
    }
  }

  ExternData& data_;
  Dim batch_;
  std::vector<std::pair<Value, Dim>> shared_;
};

KeyEntry entry_from(const Value& value) {
  if (value.is_dict()) {
    return from_dict(value);
  }
  if (value.is_sequence()) {
    return from_pair(value);
  }
  throw value.error(fmt::format("a data key must be a dict or (dim, ndim), got {}", value.type_name()));
}

KeyEntry plain_entry(const Value& place, int64_t dim, bool sparse) {
  KeyEntry entry;
  entry.place = place;
  entry.dim = dim;
  entry.sparse = sparse;
  entry.shape = sparse ? std::vector<int64_t>{-1} : std::vector<int64_t>{-1, dim};
  return entry;
}

}  // namespace

ExternData ExternData::from_config(const Config& config) {
  ExternData data;
  data.default_input = config.get_string("default_input", "data");
  data.default_target = config.get_string("target", "classes");
  Builder builder(data);
  ErrorCollector errors;
  if (const Value* given = config.find("extern_data"); given && !given->is_none()) {
    if (!given->is_dict()) {
      throw given->error(fmt::format("extern_data must be a dict, got {}", given->type_name()));
    }
    for (const std::string& key : given->keys()) {
      errors.run([&] { builder.add(key, entry_from(*given->find(key))); });
    }
    errors.throw_if_any();
    return data;
  }
  if (const Value* inputs = config.find("num_inputs"); inputs && !inputs->is_none()) {
    errors.run([&] {
      builder.add(data.default_input, plain_entry(*inputs, positive(*inputs), config.get_bool("sparse_input", false)));
    });
  }
  if (const Value* outputs = config.find("num_outputs"); outputs && !outputs->is_none()) {
    if (!outputs->is_dict()) {
      errors.run([&] { builder.add(data.default_target, plain_entry(*outputs, positive(*outputs), true)); });
    } else {
      for (const std::string& key : outputs->keys()) {
        const Value& value = *outputs->find(key);
        errors.run([&] {
          builder.add(
              key, value.kind() == Value::Kind::kInt ? plain_entry(value, positive(value), true) : entry_from(value));
        });
      }
    }
  }
  errors.throw_if_any();
  return data;
}

}  // namespace wende

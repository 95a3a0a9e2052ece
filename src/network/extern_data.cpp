#include <fmt/core.h>

#include "layers/axis_option.h"
#include "layers/dim_tag.h"
#include "network/extern_key.h"
#include "network/network.h"

namespace wende {
namespace {

/// Makes the templates of data keys; keys that name the same dim tag share the Dim.
class Builder {
 public:
  explicit Builder(ExternData& data) : data_(data), batch_(Dim::batch()) {}

  void add(const std::string& key, const ExternKey& entry) {
    Data data;
    data.name = "data:" + key;
    data.dtype = entry.dtype ? dtype(entry) : entry.sparse ? DType::kInt32 : DType::kFloat32;
    if (data.dtype == DType::kComplex64) {
      throw entry.place.error("data of dtype complex64 are not supported by Wende " WENDE_VERSION)
          .hint(
              "give real and imaginary parts in turn as features, and make them complex by "
              "'alternating_real_to_complex'");
    }
    if (entry.dim_tags.empty()) {
      add_dims(key, entry, data);
    } else {
      add_tags(entry, data);
    }
    if (entry.sparse) {
      const std::string name = key + ":sparse-dim";
      data.sparse_dim = entry.dim ? Dim::fixed(*entry.dim, Dim::Kind::kFeature, name) : Dim::dynamic(name);
      if (!entry.sparse_dim.is_none()) {
        declare_tag(data.sparse_dim, entry.sparse_dim);
      }
    }
    data.set_default_marks();
    set_marks(entry, data);
    share_tags(entry, data);
    data.available_for_inference = entry.available_for_inference.value_or(key == data_.default_input);
    data_.keys[key] = std::move(data);
  }

 private:
  static DType dtype(const ExternKey& entry) {
    try {
      return dtype_from_name(*entry.dtype);
    } catch (Error& error) {
      throw entry.place.error(error.diagnostics().back().message);
    }
  }

  void add_dims(const std::string& key, const ExternKey& entry, Data& data) {
    const int rank = static_cast<int>(entry.shape.size());
    if (entry.batch_axis && (*entry.batch_axis < 0 || *entry.batch_axis > rank)) {
      throw entry.place.error(fmt::format("batch_dim_axis {} is outside 0..{}", *entry.batch_axis, rank));
    }
    int dynamic = 0;
    for (int i = 0; i < rank; ++i) {
      const int64_t size = entry.shape[static_cast<size_t>(i)];
      if (size < 0) {
        data.dims.push_back(Dim::dynamic(dynamic == 0 ? "time:var:extern_data:" + key
                                                      : fmt::format("spatial{}:var:extern_data:{}", dynamic, key)));
        ++dynamic;
      } else if (i == rank - 1 && !entry.sparse) {
        if (entry.dim && *entry.dim != size) {
          throw entry.place.error(fmt::format("dim {} does not fit to shape, whose last axis is {}", *entry.dim, size));
        }
        data.dims.push_back(Dim::fixed(size, Dim::Kind::kFeature, key + ":feature"));
      } else {
        data.dims.push_back(Dim::fixed(size, Dim::Kind::kSpatial, fmt::format("{}:static:{}", key, i)));
      }
    }
    if (entry.batch_axis) {
      data.dims.insert(data.dims.begin() + *entry.batch_axis, batch_);
    }
  }

  void add_tags(const ExternKey& entry, Data& data) {
    for (const Value& tag : entry.dim_tags) {
      data.dims.push_back(tag.kind() == Value::Kind::kInt ? Dim::fixed(positive_size(tag), Dim::Kind::kSpatial)
                                                          : shared(tag, Dim()));
    }
  }

  /// The Dim of a tag: the batch axis, that of another key, or `fallback` (a new one if undefined) from now on.
  Dim shared(const Value& tag, Dim fallback) {
    if (is_batch_tag(tag)) {
      return batch_;
    }
    for (const Dim& dim : tagged_) {
      if (dim_matches_tag(dim, tag)) {
        return dim;
      }
    }
    if (!fallback.defined()) {
      fallback = dim_of_tag(tag, Dim::Kind::kSpatial);
    }
    declare_tag(fallback, tag);
    set_fed_dim(tag, fallback);
    tagged_.push_back(fallback);
    return fallback;
  }

  static int checked_axis(const ExternKey& entry, const Data& data, int axis, const char* what) {
    if (axis >= data.rank()) {
      throw entry.place.error(fmt::format("{} {} is outside of rank {}", what, axis, data.rank()));
    }
    return axis < 0 ? -1 : axis;
  }

  static void set_marks(const ExternKey& entry, Data& data) {
    if (entry.time_axis) {
      data.time_axis = checked_axis(entry, data, *entry.time_axis, "time_dim_axis");
      if (data.time_axis >= 0 && data.time_axis == data.feature_axis && !entry.feature_axis) {
        data.feature_axis = -1;
      }
    }
    if (entry.feature_axis && !data.sparse()) {
      data.feature_axis = checked_axis(entry, data, *entry.feature_axis, "feature_dim_axis");
    }
    const auto mark_by_tag = [&data](const Value& tag, int& mark) {
      if (!tag.is_none()) {
        mark = axis_of_option(data, tag, 0);
      }
    };
    mark_by_tag(entry.time_dim, data.time_axis);
    mark_by_tag(entry.feature_dim, data.feature_axis);
  }

  /// same_dim_tags_as {"t": tag, ...}: axes by description.
  void share_tags(const ExternKey& entry, Data& data) {
    if (entry.shared_tags.is_none()) {
      return;
    }
    for (const auto& [axis, tag] : entry.shared_tags.entries()) {
      const int at = axis_of_option(data, axis, 0);
      Dim& dim = data.dims[static_cast<size_t>(at)];
      if (tag.kind() == Value::Kind::kDim) {
        dim = shared(tag, dim);
      } else {
        throw tag.error("same_dim_tags_as names dim tags, got " + tag.repr());
      }
    }
  }

  ExternData& data_;
  Dim batch_;
  std::vector<Dim> tagged_;
};

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
      errors.run([&] { builder.add(key, ExternKey::from_value(*given->find(key))); });
    }
    errors.throw_if_any();
    return data;
  }
  if (const Value* inputs = config.find("num_inputs"); inputs && !inputs->is_none()) {
    errors.run([&] {
      const bool sparse = config.get_bool("sparse_input", false);
      builder.add(data.default_input, ExternKey::plain(*inputs, positive_size(*inputs), sparse));
    });
  }
  if (const Value* outputs = config.find("num_outputs"); outputs && !outputs->is_none()) {
    if (!outputs->is_dict()) {
      errors.run([&] { builder.add(data.default_target, ExternKey::plain(*outputs, positive_size(*outputs), true)); });
    } else {
      for (const std::string& key : outputs->keys()) {
        const Value& value = *outputs->find(key);
        errors.run([&] {
          builder.add(key, value.kind() == Value::Kind::kInt ? ExternKey::plain(value, positive_size(value), true)
                                                             : ExternKey::from_value(value));
        });
      }
    }
  }
  errors.throw_if_any();
  return data;
}

}  // namespace wende

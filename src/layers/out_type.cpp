#include "layers/out_type.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "config/args.h"
#include "layers/axis_option.h"
#include "layers/dim_tag.h"

namespace wende {
namespace {

const Value* given(const Value& dict, const char* key) {
  const Value* value = dict.find(key);
  return value && !value->is_none() ? value : nullptr;
}

Value axis_value(int axis) { return axis < 0 ? Value() : Value::of(static_cast<int64_t>(axis)); }

/// The dict of the option; a function is asked for it.
Value out_type_dict(const Value& type, const LayerContext& context) {
  if (!type.is_callable()) {
    return type;
  }
  std::vector<Value> sources;
  for (size_t i = 0; i < context.sources.size(); ++i) {
    sources.push_back(Value::dict({{Value::of("__wende_layer__"), Value::of(context.sources[i].name)},
                                   {Value::of("output"), data_value(context.sources[i], static_cast<int>(i))}}));
  }
  std::vector<std::pair<std::string, Value>> kwargs{{"name", Value::of(context.name)},
                                                    {"sources", Value::list(std::move(sources))},
                                                    {"n_out", context.n_out ? Value::of(*context.n_out) : Value()}};
  static const std::set<std::string> kOwn = {"name", "sources", "n_out", "from", "class", "out_type", "network"};
  for (const std::string& key : context.options.keys()) {
    if (kOwn.count(key) == 0) {
      kwargs.emplace_back(key, *context.options.find(key));
    }
  }
  kwargs.emplace_back("network", Value());
  const Value result = type.as_callable().call({}, kwargs);
  if (!result.is_dict()) {
    throw type.error("the function of out_type must return a Data, got " + result.repr());
  }
  return result.placed(type.span(), type.path());
}

void check_keys(const Value& type) {
  static const std::vector<std::string> kKnown = {
      "dim",      "shape",         "dtype",          "sparse",  "sparse_dim",       "dims",
      "dim_tags", "time_dim_axis", "batch_dim_axis", "version", "feature_dim_axis", "size_placeholder",
      "name",     "vocab",         "beam",           "batch",   "__wende_data__",   "available_for_inference"};
  for (const std::string& key : type.keys()) {
    if (std::find(kKnown.begin(), kKnown.end(), key) == kKnown.end()) {
      throw type.find(key)->error("unknown option '" + key + "' of out_type").hint(did_you_mean(key, kKnown));
    }
  }
}

/// The dynamic dims that None in `shape` may mean, in order.
std::vector<Dim> dynamic_dims(const Value& type, const LayerContext& context) {
  std::vector<Data> sources = context.sources;
  if (const Value* index = given(type, "__wende_data__"); index && index->as_int() < std::ssize(sources)) {
    sources = {sources[static_cast<size_t>(index->as_int())]};
  }
  std::vector<Dim> dims;
  for (const Data& source : sources) {
    for (const int axis : source.dynamic_axes()) {
      const Dim& dim = source.dims[static_cast<size_t>(axis)];
      if (std::find(dims.begin(), dims.end(), dim) == dims.end()) {
        dims.push_back(dim);
      }
    }
  }
  return dims;
}

/// The axis of a source that [index of the source, axis] names.
Dim source_dim(const LayerContext& context, const Value& index, const Value& axis) {
  return context.sources.at(static_cast<size_t>(index.as_int())).dims.at(static_cast<size_t>(axis.as_int()));
}

/// size_placeholder {axis: lengths of a source's axis}: that axis.
std::optional<Dim> placed_dim(const Value& type, const LayerContext& context, size_t axis) {
  const Value* sizes = given(type, "size_placeholder");
  if (!sizes) {
    return std::nullopt;
  }
  for (const auto& [key, value] : sizes->entries()) {
    const Value* lengths = value.is_dict() ? value.find("__wende_lengths__") : nullptr;
    if (key.as_int() == static_cast<int64_t>(axis) && lengths) {
      return source_dim(context, lengths->items().at(0), lengths->items().at(1));
    }
  }
  return std::nullopt;
}

std::vector<Dim> dims_of_shape(const Value& type, const Value& shape, const LayerContext& context, bool sparse) {
  const std::vector<Value> entries = items_of(shape);
  const std::vector<Dim> dynamic = dynamic_dims(type, context);
  std::vector<Dim> dims;
  size_t next = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].is_none()) {
      const bool feature = i + 1 == entries.size() && !sparse;
      dims.push_back(Dim::fixed(entries[i].as_int(), feature ? Dim::Kind::kFeature : Dim::Kind::kSpatial,
                                fmt::format("{}:{}", context.name, feature ? "feature" : "static")));
      continue;
    }
    if (const std::optional<Dim> dim = placed_dim(type, context, i); dim && dim->defined()) {
      dims.push_back(*dim);
    } else if (next < dynamic.size()) {
      dims.push_back(dynamic[next++]);
    } else {
      throw shape.error("shape has more None than the sources have dynamic axes; Wende takes lengths from the sources");
    }
  }
  return dims;
}

/// An entry of dims: a tag of the config, or ("source", index, axis).
Dim dim_of_out_type(const Value& tag, const LayerContext& context) {
  if (tag.kind() == Value::Kind::kTuple && tag.items().size() == 3) {
    return source_dim(context, tag.items()[1], tag.items()[2]);
  }
  if (tag.kind() != Value::Kind::kDim) {
    throw tag.error("dims must be dim tags, got " + tag.repr());
  }
  for (const Data& source : context.sources) {
    if (const int axis = axis_of_tag(source, tag); axis >= 0) {
      return source.dims[static_cast<size_t>(axis)];
    }
  }
  if (!tag.find("dimension")) {
    throw tag.error(fmt::format("{} has no size and is no axis of the sources", tag_text(tag)));
  }
  return dim_of_tag(tag, Dim::Kind::kSpatial);
}

/// Dims from shape, dims or dim_tags; the batch axis where batch_dim_axis says.
bool set_dims(const Value& type, const LayerContext& context, bool sparse, Data& out) {
  if (const Value* shape = given(type, "shape")) {
    out.dims = dims_of_shape(type, *shape, context, sparse);
    const Value* axis = type.find("batch_dim_axis");
    const auto batch = std::find_if(context.sources.begin(), context.sources.end(),
                                    [](const Data& source) { return source.has_batch(); });
    if (!(axis && axis->is_none()) && batch != context.sources.end()) {
      const int64_t at = axis ? axis->as_int() : 0;
      if (at < 0 || at > out.rank()) {
        throw axis->error(fmt::format("batch_dim_axis {} is outside 0..{}", at, out.rank()));
      }
      out.dims.insert(out.dims.begin() + at, batch->dims[static_cast<size_t>(batch->batch_axis())]);
    } else if (!(axis && axis->is_none()) && context.sources.empty() && context.batch_dim.defined()) {
      out.dims.insert(out.dims.begin(), context.batch_dim);
    }
    out.set_default_marks();
    return true;
  }
  for (const char* key : {"dims", "dim_tags"}) {
    const Value* tags = given(type, key);
    if (!tags) {
      continue;
    }
    out.dims.clear();
    for (const Value& tag : tags->items()) {
      out.dims.push_back(dim_of_out_type(tag, context));
    }
    out.set_default_marks();
    return true;
  }
  return false;
}

void set_marks(const Value& type, Data& out) {
  const auto set = [&](const char* key, int& mark) {
    if (const Value* axis = type.find(key)) {
      const int64_t at = axis->is_none() ? -1 : axis->as_int();
      if (at >= out.rank()) {
        throw axis->error(fmt::format("{} {} is outside of {}", key, at, out.str()));
      }
      mark = static_cast<int>(at);
    }
  };
  set("time_dim_axis", out.time_axis);
  if (!out.sparse()) {
    set("feature_dim_axis", out.feature_axis);
  }
}

void set_sparse(const Value& type, Data& out) {
  const Value* dim = given(type, "dim");
  const Value* tag = given(type, "sparse_dim");
  if (!given(type, "dtype") && out.dtype == DType::kFloat32) {
    out.dtype = DType::kInt32;
  }
  if (tag && tag->kind() == Value::Kind::kDim) {
    out.sparse_dim = dim_of_tag(*tag, Dim::Kind::kFeature);
  } else if (dim || tag) {
    out.sparse_dim = Dim::fixed((dim ? dim : tag)->as_int(), Dim::Kind::kFeature, out.name + ":sparse");
  } else if (type.find("dim")) {  // None: nobody knows
    out.sparse_dim = Dim::dynamic(out.name + ":sparse");
  } else if (!out.sparse()) {
    throw type.error("sparse out_type needs dim or sparse_dim");
  }
  if (out.feature_axis >= 0) {
    out.feature_axis = -1;
  }
}

}  // namespace

Value data_value(const Data& data, int index) {
  std::vector<Value> dims;
  for (const Dim& dim : data.dims) {
    const bool sized = dim.is_static() && !dim.is_batch();
    const char* kind = dim.is_batch() ? "batch" : dim.kind() == Dim::Kind::kFeature ? "feature" : "spatial";
    dims.push_back(Value::list({sized ? Value::of(dim.size()) : Value(), Value::of(kind), Value::of(dim.name())}));
  }
  Value content = Value::dict({{Value::of("__wende_data__"), Value::of(static_cast<int64_t>(index))},
                               {Value::of("name"), Value::of(data.name)},
                               {Value::of("dims"), Value::list(std::move(dims))},
                               {Value::of("sparse"), Value::of(data.sparse())},
                               {Value::of("dtype"), Value::of(std::string(name_of(data.dtype)))},
                               {Value::of("time_dim_axis"), axis_value(data.time_axis)},
                               {Value::of("feature_dim_axis"), axis_value(data.feature_axis)}});
  return data.sparse() && data.sparse_dim.is_static() ? content.with("dim", Value::of(data.sparse_dim.size()))
                                                      : content;
}

void apply_out_type(const LayerContext& context, Data& out) {
  const Value* option = context.options.is_dict() ? given(context.options, "out_type") : nullptr;
  if (!option) {
    return;
  }
  const Value type = out_type_dict(*option, context);
  check_keys(type);
  if (const Value* dtype = given(type, "dtype")) {
    out.dtype = dtype_from_name(dtype->as_string());
  }
  const Value* sparse = given(type, "sparse");
  const bool is_sparse = (sparse && sparse->as_bool()) || given(type, "sparse_dim") != nullptr;
  const bool new_dims = set_dims(type, context, is_sparse, out);
  if (is_sparse) {
    set_sparse(type, out);
  } else if (sparse && out.sparse()) {
    out.sparse_dim = Dim();
    if (!given(type, "dtype")) {
      out.dtype = DType::kFloat32;
    }
  }
  const Value* dim = given(type, "dim");
  if (dim && !out.sparse() && out.feature_axis >= 0 && !new_dims) {
    Dim& feature = out.dims[static_cast<size_t>(out.feature_axis)];
    if (feature.is_dynamic() || feature.size() != dim->as_int()) {
      feature = Dim::fixed(dim->as_int(), Dim::Kind::kFeature, out.name + ":feature");
    }
  }
  set_marks(type, out);
}

void verify_out_type(const Value& option, const LayerContext& context, Data& out) {
  const Value type = out_type_dict(option, context);
  check_keys(type);
  const auto refuse = [&](const char* key, const std::string& is) {
    const Value& value = *type.find(key);
    return value.error(
        fmt::format("out_type['{}'] is {}, but the layer gives {}: {}", key, value.repr(), is, out.str()));
  };
  if (const Value* dtype = given(type, "dtype"); dtype && dtype_from_name(dtype->as_string()) != out.dtype) {
    throw refuse("dtype", std::string(name_of(out.dtype)));
  }
  if (const Value* sparse = given(type, "sparse"); sparse && sparse->as_bool() != out.sparse()) {
    throw refuse("sparse", out.sparse() ? "sparse data" : "dense data");
  }
  const Dim dim = out.feature_or_sparse_dim();
  if (const Value* size = given(type, "dim");
      size && dim.defined() && dim.is_static() && dim.size() != size->as_int()) {
    throw refuse("dim", fmt::format("{}", dim.size()));
  }
  if (const Value* shape = given(type, "shape")) {
    std::vector<Value> actual;
    for (const Dim& each : out.dims) {
      if (!each.is_batch()) {
        actual.push_back(each.is_static() ? Value::of(each.size()) : Value());
      }
    }
    const Value found = Value::list(std::move(actual), Value::Kind::kTuple);
    const Value wanted = Value::list(items_of(*shape), Value::Kind::kTuple);
    if (!(found == wanted)) {
      throw refuse("shape", found.repr());
    }
  }
  if (const Value* axis = type.find("batch_dim_axis");
      axis && (axis->is_none() ? -1 : axis->as_int()) != out.batch_axis()) {
    throw refuse("batch_dim_axis", axis_value(out.batch_axis()).repr());
  }
  set_marks(type, out);
}

}  // namespace wende

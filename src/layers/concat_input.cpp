#include "layers/concat_input.h"

#include <fmt/core.h>

#include "layers/alignment.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// The source's own feature dim in the common layout.
Data with_layout_of(const Data& layout, const Dim& feature) {
  Data data = layout;
  data.dims[static_cast<size_t>(layout.feature_axis)] = feature;
  return data;
}

}  // namespace

Data concat_input_data(const std::vector<Data>& sources, const std::string& name) {
  if (sources.empty()) {
    throw Error(ExitStatus::kConfig, fmt::format("layer '{}' has no input: 'from' is empty", name));
  }
  if (sources.size() == 1) {
    return sources[0].with_name(name);
  }
  int64_t size = 0;
  std::string parts;
  for (const Data& source : sources) {
    if (source.sparse() || source.feature_axis < 0) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("cannot concatenate {} {} on the feature axis: it is {}", source.name, source.str(),
                              source.sparse() ? "sparse" : "without feature axis"));
    }
    const Dim& dim = source.dims[static_cast<size_t>(source.feature_axis)];
    if (dim.is_dynamic()) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("cannot concatenate {} {}: its feature size is not known", source.name, source.str()));
    }
    size += dim.size();
    parts += (parts.empty() ? "" : "+") + source.name;
  }
  Data out = common_layout(sources, name);
  if (out.feature_axis < 0) {
    throw internal_error("common layout of dense sources without feature axis: " + out.str());
  }
  for (const Data& source : sources) {
    match_axes(source, with_layout_of(out, source.dims[static_cast<size_t>(source.feature_axis)]));
    if (source.has_time() && out.has_time() && !source.time_dim().same_size(out.time_dim())) {
      throw Error(ExitStatus::kConfig, fmt::format("cannot concatenate layers of different time dims: {} {} and {} {}",
                                                   sources[0].name, sources[0].str(), source.name, source.str()));
    }
  }
  out.dims[static_cast<size_t>(out.feature_axis)] = Dim::fixed(size, Dim::Kind::kFeature, parts + ":feature-concat");
  return out;
}

Expr concat_input(const std::vector<LayerOutput>& sources, const Data& data) {
  if (sources.size() == 1) {
    return sources[0].expr;
  }
  std::vector<Expr> parts;
  for (const LayerOutput& source : sources) {
    const Dim& feature = source.data.dims[static_cast<size_t>(source.data.feature_axis)];
    parts.push_back(broadcast_to_layout(source, with_layout_of(data, feature)));
  }
  return ops::concat(parts, data.feature_axis, data.dims[static_cast<size_t>(data.feature_axis)]);
}

Data with_feature_size(const Data& input, int64_t n, const std::string& dim_name) {
  const Dim old = input.sparse() ? Dim() : input.feature_or_sparse_dim();
  if (old.defined() && old.is_static() && old.size() == n) {
    return input;
  }
  const Dim dim = Dim::fixed(n, Dim::Kind::kFeature, dim_name);
  Data out = input;
  if (out.sparse()) {
    out.sparse_dim = Dim();
    out.dtype = DType::kFloat32;
    out.feature_axis = -1;
  }
  if (out.feature_axis >= 0) {
    out.dims[static_cast<size_t>(out.feature_axis)] = dim;
  } else {
    out.dims.push_back(dim);
    out.feature_axis = out.rank() - 1;
  }
  return out;
}

int64_t input_size(const Data& input) {
  const Dim dim = input.feature_or_sparse_dim();
  if (!dim.defined() || dim.is_dynamic()) {
    throw Error(ExitStatus::kConfig, "the input needs a feature axis of fixed size: " + input.name + " " + input.str());
  }
  return dim.size();
}

}  // namespace wende

#include "layers/outer_layout.h"

#include <algorithm>

#include "layers/alignment.h"

namespace wende {
namespace {

bool is_one(const Dim& dim) { return dim.is_static() && dim.size() == 1; }

const Dim& feature_of(const Data& x) { return x.dims[static_cast<size_t>(x.feature_axis)]; }

bool has_size(const Data& x, const Dim& dim) {
  return std::any_of(x.dims.begin(), x.dims.end(), [&](const Dim& d) { return !d.is_batch() && d.same_size(dim); });
}

/// The features of x are none of the axes of `largest`.
bool is_foreign(const Data& x, const Data& largest) {
  if (x.feature_axis < 0 || largest.feature_axis < 0) {
    return false;
  }
  return !is_one(feature_of(x)) && !is_one(feature_of(largest)) && !has_size(largest, feature_of(x));
}

}  // namespace

Data outer_layout(const std::vector<Data>& sources, const std::string& name, int behavior_version) {
  const auto largest = std::max_element(sources.begin(), sources.end(),
                                        [](const Data& a, const Data& b) { return a.rank() < b.rank(); });
  if (largest == sources.end()) {
    return broadcast_layout(sources, name);  // says that the layer has no input
  }
  std::vector<Data> without;
  std::vector<Dim> foreign;
  for (const Data& source : sources) {
    if (behavior_version < 4 && is_foreign(source, *largest)) {
      foreign.push_back(feature_of(source));
      without.push_back(source.without_axis(source.feature_axis));
    } else {
      without.push_back(source);
    }
  }
  Data out = broadcast_layout(without, name);
  for (const Dim& dim : foreign) {
    if (!has_size(out, dim)) {
      const int at = out.feature_axis + 1;
      out = out.with_axis(at, dim);
      out.feature_axis = at;
    }
  }
  return out;
}

}  // namespace wende

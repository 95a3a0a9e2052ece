#include "layers/alignment.h"

#include <algorithm>
#include <numeric>

#include "layers/axis_order.h"
#include "ops/shape.h"

namespace wende {
namespace {

bool is_one(const Dim& dim) { return !dim.is_batch() && dim.is_static() && dim.size() == 1; }

bool sizes_fit(const Dim& a, const Dim& b) { return a.same_size(b) || is_one(a) || is_one(b); }

[[noreturn]] void throw_mismatch(const Data& x, const Data& layout) {
  throw Error(ExitStatus::kConfig,
              "axes do not fit: " + x.name + " " + x.str() + " and " + layout.name + " " + layout.str());
}

}  // namespace

std::vector<int> match_axes(const Data& x, const Data& layout) {
  std::vector<int> matched(static_cast<size_t>(layout.rank()), -1);
  std::vector<bool> used(static_cast<size_t>(x.rank()), false);
  const auto pair = [&](int to, int from) {
    if (to < 0 || from < 0 || matched[static_cast<size_t>(to)] >= 0 || used[static_cast<size_t>(from)]) {
      return;
    }
    matched[static_cast<size_t>(to)] = from;
    used[static_cast<size_t>(from)] = true;
  };
  for (int from = 0; from < x.rank(); ++from) {
    pair(layout.axis_of(x.dims[static_cast<size_t>(from)]), from);
  }
  const auto pair_role = [&](int to, int from) {
    if (to >= 0 && from >= 0 && sizes_fit(layout.dims[static_cast<size_t>(to)], x.dims[static_cast<size_t>(from)])) {
      pair(to, from);
    }
  };
  pair(layout.batch_axis(), x.batch_axis());
  pair_role(layout.time_axis, x.time_axis);
  pair_role(layout.feature_axis, x.feature_axis);
  for (const bool ones : {false, true}) {
    for (int from = 0; from < x.rank(); ++from) {
      for (int to = 0; to < layout.rank() && !used[static_cast<size_t>(from)]; ++to) {
        const Dim& a = layout.dims[static_cast<size_t>(to)];
        const Dim& b = x.dims[static_cast<size_t>(from)];
        if (matched[static_cast<size_t>(to)] < 0 && !a.is_batch() && (ones ? sizes_fit(a, b) : a.same_size(b))) {
          pair(to, from);
        }
      }
    }
  }
  for (int from = 0; from < x.rank(); ++from) {
    if (!used[static_cast<size_t>(from)]) {
      throw_mismatch(x, layout);
    }
  }
  return matched;
}

Data broadcast_layout(const std::vector<Data>& sources, const std::string& name) {
  Data out = common_layout(sources, name);
  for (const Data& source : sources) {
    const std::vector<int> matched = match_axes(source, out);
    for (size_t to = 0; to < matched.size(); ++to) {
      if (matched[to] < 0) {
        continue;
      }
      const Dim& dim = source.dims[static_cast<size_t>(matched[to])];
      if (is_one(out.dims[to])) {
        out.dims[to] = dim;
      } else if (!sizes_fit(out.dims[to], dim)) {
        throw_mismatch(source, out);
      }
    }
  }
  return out;
}

Expr align_to(const LayerOutput& x, const Data& layout) {
  const std::vector<int> matched = match_axes(x.data, layout);
  std::vector<int> order;
  std::copy_if(matched.begin(), matched.end(), std::back_inserter(order), [](int axis) { return axis >= 0; });
  Expr result = permute_if_needed(x.expr, order);
  for (size_t to = 0; to < matched.size() && result.rank() > 0; ++to) {
    if (matched[to] < 0) {
      result = ops::expand_dims(result, static_cast<int>(to));
    }
  }
  return result;
}

Expr broadcast_to_layout(const LayerOutput& x, const Data& layout) {
  Expr result = align_to(x, layout);
  for (int axis = result.rank(); axis < layout.rank(); ++axis) {
    result = ops::expand_dims(result, axis);
  }
  const bool full = std::equal(result.dims().begin(), result.dims().end(), layout.dims.begin(), layout.dims.end(),
                               [](const Dim& a, const Dim& b) { return a.same_size(b); });
  return full ? result : ops::broadcast_to(result, layout.dims);
}

}  // namespace wende

#include <fmt/core.h>

#include <cmath>

#include "layers/axis_order.h"
#include "network/construction.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

double factor(const Value& options, const char* key) {
  const Value* value = options.find(key);
  return value && !value->is_none() ? value->as_float() : 0.0;
}

/// x rolled by `by` (1 or -1) along an axis of fixed size.
Expr rolled(Expr x, int axis, int by) {
  const Dim dim = x.dim(axis);
  const int64_t n = dim.size();
  const int64_t cut = by > 0 ? n - by : -by;
  const Expr head = ops::slice(x, axis, 0, cut, 1, Dim::fixed(cut, dim.kind()));
  const Expr tail = ops::slice(x, axis, cut, n, 1, Dim::fixed(n - cut, dim.kind()));
  return ops::concat({tail, head}, axis, dim);
}

}  // namespace

Expr NetworkConstruction::global_sum(Expr local, const std::string& name) {
  if (!options_.across_ranks) {
    return local;
  }
  const std::string leaf = "global:" + name;
  network_->global_sums_.push_back({leaf, local});
  return ops::input(graph(), leaf, local.dtype(), local.dims());
}

/// values (in the layout of output) with 0 on padded frames.
Expr NetworkConstruction::valid_frames_only(const NetworkLevel& level, const LayerOutput& output, Expr values) {
  const Data& data = output.data;
  if (!data.has_batch() || !data.has_time() || !data.time_dim().is_dynamic() || values.rank() != data.rank()) {
    return values;
  }
  Expr valid = mask(level, data.time_dim(), data.time_axis < data.batch_axis());
  for (int axis = 0; axis < data.rank(); ++axis) {
    if (axis != data.batch_axis() && axis != data.time_axis) {
      valid = ops::expand_dims(valid, axis);
    }
  }
  return ops::where(valid, values, ops::constant(*level.graph, 0.0));
}

/// max over features of the summed absolute values, before the activation where the layer has one.
Expr NetworkConstruction::darc1(const NetworkLevel& level, const BuiltLayer& built) {
  const auto before = built.sub_outputs.find("before_activation");
  const LayerOutput& x = before == built.sub_outputs.end() ? built.output : before->second;
  if (x.data.feature_axis < 0) {
    throw built.options.error("darc1 needs an output with feature axis, got " + x.data.str());
  }
  const Expr values = valid_frames_only(level, x, ops::unary(ops::Unary::kAbs, x.expr));
  std::vector<int> axes = ops::all_axes(values);
  std::erase(axes, x.data.feature_axis);
  const Expr sums = axes.empty() ? values : ops::reduce(ops::Reduction::kSum, values, axes);
  if (!options_.across_ranks) {
    return ops::reduce(ops::Reduction::kMax, sums, {0});
  }
  // Which feature is the largest is decided by all ranks' frames; each rank adds what its own have there.
  const Expr largest = ops::argmax(global_sum(sums, built.name + ":darc1"), 0);
  return ops::sum_all(ops::mul(sums, ops::one_hot(largest, sums.dim(0))));
}

/// The features as an h x w picture on a torus: each unit less the mean of its 8 neighbours, squared, over valid
/// frames.
Expr NetworkConstruction::spatial_smoothing(const NetworkLevel& level, const BuiltLayer& built) {
  const Data& data = built.output.data;
  if (data.feature_axis < 0) {
    throw built.options.error("spatial_smoothing needs an output with feature axis, got " + data.str());
  }
  const int64_t size = data.dims[static_cast<size_t>(data.feature_axis)].size();
  auto width = static_cast<int64_t>(std::sqrt(static_cast<double>(size)));
  while (width > 1 && size % width != 0) {
    --width;
  }
  if (width < 3) {
    throw built.options.error(fmt::format("spatial_smoothing needs n_out = h * w with h, w >= 3, got {}", size));
  }
  // Frames and the two axes of the picture, in this order.
  Expr x = valid_frames_only(level, built.output, built.output.expr);
  x = ops::permute(x, order_with_last(data.rank(), data.feature_axis));
  std::vector<Dim> dims(x.dims().begin(), x.dims().end() - 1);
  dims.push_back(Dim::fixed(size / width, Dim::Kind::kSpatial));
  dims.push_back(Dim::fixed(width, Dim::Kind::kSpatial));
  x = ops::reshape(x, dims);
  const int row = x.rank() - 2;
  const int column = x.rank() - 1;
  // The sum over the 3x3 window separates; it holds the unit itself once.
  const Expr lines = ops::add(x, ops::add(rolled(x, row, 1), rolled(x, row, -1)));
  const Expr window = ops::add(lines, ops::add(rolled(lines, column, 1), rolled(lines, column, -1)));
  const Expr filtered = ops::sub(ops::scale(x, 1.0 + 1.0 / 8), ops::scale(window, 1.0 / 8));
  return ops::sum_all(ops::unary(ops::Unary::kSquare, filtered));
}

void NetworkConstruction::add_constraints(const LayerPlan& plan, const BuiltLayer& built) {
  if (!options_.eval || network_ != real_.get()) {
    return;
  }
  if (const double l2 = factor(plan.options, "L2"); l2 != 0.0) {
    // Decoupled: the updater shrinks the parameters itself, the objective knows nothing of it.
    const bool decoupled = config_.get_bool("decouple_constraints", false);
    for (const std::string& name : built.owned) {
      network_->l2_[name] += l2;
      if (decoupled) {
        continue;
      }
      const Expr squares = ops::unary(ops::Unary::kSquare, network_->param_exprs_.at(name));
      constraints_.push_back(ops::scale(ops::sum_all(squares), l2));
    }
  }
  if (const double scale = factor(plan.options, "darc1"); scale != 0.0) {
    data_constraints_.push_back(ops::scale(darc1(*plan.level, built), scale));
  }
  if (const double scale = factor(plan.options, "spatial_smoothing"); scale != 0.0) {
    data_constraints_.push_back(ops::scale(spatial_smoothing(*plan.level, built), scale));
  }
}

}  // namespace wende

#include "ops/reduce.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

using ops::Reduction;

struct ReduceArgs {
  std::string mode;
  Value axes, axis, keep_dims, use_time_mask, enforce_batch_dim_axis;

  template <class V>
  void fields(V& v) {
    v.field("mode", mode, "sum, mean, max, min, prod, any, all, logsumexp, argmax or argmin");
    v.field("axes", axes, "the axes to reduce");
    v.field("axis", axis, "the same as axes");
    v.field("keep_dims", keep_dims, "keeps reduced axes with size 1");
    v.field("use_time_mask", use_time_mask, "leaves out padded frames (True on dynamic axes)");
    v.field("enforce_batch_dim_axis", enforce_batch_dim_axis,
            "moves the batch axis there first (0 if axes are counted)");
  }
};

const std::map<std::string, Reduction>& reductions() {
  static const std::map<std::string, Reduction> table{
      {"sum", Reduction::kSum}, {"mean", Reduction::kMean}, {"avg", Reduction::kMean},
      {"max", Reduction::kMax}, {"min", Reduction::kMin},   {"prod", Reduction::kProd},
      {"any", Reduction::kAny}, {"all", Reduction::kAll},   {"logsumexp", Reduction::kLogSumExp}};
  return table;
}

/// What padding becomes, so that it does not count.
double neutral(const std::string& mode) {
  if (mode == "max" || mode == "argmax" || mode == "logsumexp") {
    return -1e30;
  }
  if (mode == "min" || mode == "argmin") {
    return 1e30;
  }
  return mode == "prod" || mode == "all" ? 1 : 0;
}

class ReduceLayer : public Layer {
 public:
  explicit ReduceLayer(ReduceArgs args) : args_(std::move(args)) {
    std::vector<std::string> known{"argmax", "argmin"};
    for (const auto& [name, kind] : reductions()) {
      known.push_back(name);
    }
    if (std::find(known.begin(), known.end(), args_.mode) == known.end()) {
      throw Error(ExitStatus::kConfig, "unknown reduce mode '" + args_.mode + "'")
          .hint(did_you_mean(args_.mode, known));
    }
    if (args_.axes.is_none()) {
      args_.axes = args_.axis;
    }
    if (args_.axes.is_none()) {
      throw Error(ExitStatus::kConfig, "reduce needs 'axis' or 'axes'");
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = ordered(concat_input_data(context.sources, context.name));
    axes_ = axes_of_option(x, args_.axes, context.behavior_version);
    if (axes_.empty()) {
      throw args_.axes.error(fmt::format("reduce: no axis of the input {} is selected", x.str()))
          .hint(describe_axes(x));
    }
    std::sort(axes_.begin(), axes_.end());
    if (is_arg() && axes_.size() != 1) {
      throw context.options.error(
          fmt::format("{} needs exactly one axis, {} selects {}", args_.mode, args_.axes.repr(), axes_.size()));
    }
    Data out = x.with_name(context.name);
    for (size_t i = axes_.size(); i-- > 0;) {
      const int axis = axes_[i];
      if (keep()) {
        const Dim::Kind kind = axis == x.feature_axis ? Dim::Kind::kFeature : Dim::Kind::kSpatial;
        out.dims[static_cast<size_t>(axis)] = Dim::fixed(1, kind, context.absolute_name + ":reduced");
      } else {
        out = out.without_axis(axis);
      }
    }
    if (!keep() && !out.sparse() && std::count(axes_.begin(), axes_.end(), x.feature_axis) != 0) {
      out.feature_axis = last_static_axis(out);
    }
    if (is_arg()) {
      out.dtype = DType::kInt32;
      out.feature_axis = -1;
      out.sparse_dim = x.dims[static_cast<size_t>(axes_[0])];
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    LayerOutput x = builder.input();
    if (!order_.empty()) {
      x = {x.data.permuted(order_), permute_if_needed(x.expr, order_)};
    }
    const Expr mask = joint_mask(builder, x.data);
    Expr value = x.expr;
    if (mask.defined()) {
      const DType dtype = value.dtype();
      const double fill =
          dtype == DType::kInt32 ? std::clamp(neutral(args_.mode), -2147483647.0, 2147483647.0) : neutral(args_.mode);
      value = ops::where(mask, value, ops::constant(builder.graph(), fill, dtype));
    }
    if (args_.mode == "argmax" || args_.mode == "argmin") {
      value = args_.mode == "argmax" ? ops::argmax(value, axes_[0]) : ops::argmin(value, axes_[0]);
      return value;
    }
    const Reduction kind = reductions().at(args_.mode);
    if (kind == Reduction::kMean && mask.defined()) {
      const Expr sum = ops::reduce(Reduction::kSum, value, axes_, keep());
      const Expr count = frame_count(mask, x.data);
      return ops::div(sum, count);
    }
    return ops::reduce(kind, value, axes_, keep());
  }

 private:
  /// What acts as the feature axis once that is reduced: the last one of fixed size but time, -1 if there is none.
  static int last_static_axis(const Data& data) {
    const std::vector<int> axes = data.static_axes();
    const auto found = std::find_if(axes.rbegin(), axes.rend(), [&](int axis) { return axis != data.time_axis; });
    return found == axes.rend() ? -1 : *found;
  }

  Data ordered(const Data& x) {
    order_ = enforced_batch_order(x, args_.enforce_batch_dim_axis, args_.axes);
    return order_.empty() ? x : x.permuted(order_);
  }

  bool is_arg() const { return args_.mode == "argmax" || args_.mode == "argmin"; }
  bool keep() const { return !args_.keep_dims.is_none() && args_.keep_dims.as_bool(); }

  /// All reduced dynamic axes at once; undefined if none is masked.
  Expr joint_mask(LayerBuilder& builder, const Data& x) const {
    if (!args_.use_time_mask.is_none() && !args_.use_time_mask.as_bool()) {
      return {};
    }
    Expr mask;
    for (const int axis : axes_) {
      const Expr part = axis_mask(builder, x, axis);
      if (part.defined()) {
        mask = mask.defined() ? ops::binary(ops::Binary::kLogicalAnd, mask, part) : part;
      }
    }
    return mask;
  }

  /// Number of valid elements per output element, at least 1; the mask has size 1 on static axes.
  Expr frame_count(Expr mask, const Data& x) const {
    Expr count = ops::reduce(Reduction::kSum, ops::cast(mask, DType::kFloat32), axes_, keep());
    double factor = 1;
    for (const int axis : axes_) {
      const Dim& dim = x.dims[static_cast<size_t>(axis)];
      factor *= dim.is_static() && !dim.is_batch() ? static_cast<double>(dim.size()) : 1.0;
    }
    count = ops::scale(count, factor);
    return ops::binary(ops::Binary::kMaximum, count, ops::constant(*mask.graph, 1.0));
  }

  ReduceArgs args_;
  std::vector<int> axes_;
  std::vector<int> order_;  ///< of the input, where its batch axis moves
};

const RegisterLayer<ReduceLayer, ReduceArgs> kRegister{
    "reduce",
    {},
    "Reduces axes; padded frames do not count.",
    {R"({"class": "reduce", "mode": "mean", "axis": "T", "from": "data"})",
     R"({"class": "reduce", "mode": "argmax", "axis": "F", "from": "data"})"}};

}  // namespace
}  // namespace wende

#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct DotArgs {
  Value reduce, red1, red2, var1, var2, add_var2_if_empty, use_mask, debug;

  template <class V>
  void fields(V& v) {
    v.field("reduce", reduce, "red1 and red2 at once");
    v.field("red1", red1, "axes of the first source that are summed over (last)");
    v.field("red2", red2, "axes of the second source that are summed over (last but one)");
    v.field("var1", var1, "axes that only the first source has (last but one)");
    v.field("var2", var2, "axes that only the second source has (last)");
    v.field("add_var2_if_empty", add_var2_if_empty,
            "adds an axis of size 1 if var2 is empty (below behavior_version 3)");
    v.field("use_mask", use_mask, "leaves out padded frames (True on dynamic axes)");
    v.field("debug", debug, "accepted; has no effect");
  }
};

std::vector<Dim> dims_at(const Data& x, const std::vector<int>& axes) {
  std::vector<Dim> dims;
  for (const int axis : axes) {
    dims.push_back(x.dims[static_cast<size_t>(axis)]);
  }
  return dims;
}

Dim product(const std::vector<Dim>& dims) {
  if (dims.size() == 1) {
    return dims[0];
  }
  return dims.empty() ? Dim::fixed(1, Dim::Kind::kSpatial) : Dim::derived(Dim::Op::kMul, dims);
}

std::vector<int> joined(std::vector<int> a, const std::vector<int>& b, const std::vector<int>& c) {
  a.insert(a.end(), b.begin(), b.end());
  a.insert(a.end(), c.begin(), c.end());
  return a;
}

/// out [common, var1, var2] = sum over red of a [common, var1, red] * b [common, red, var2].
class DotLayer : public Layer {
 public:
  explicit DotLayer(DotArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 2) {
      throw context.options.error(fmt::format("dot takes two inputs, got {}", context.sources.size()));
    }
    const Data& a = context.sources[0];
    const Data& b = context.sources[1];
    find_axes(a, b, context);
    Data out;
    out.name = context.name;
    out.dtype = a.dtype;
    out.dims = dims_at(a, joined(common1_, var1_, {}));
    const std::vector<Dim> last = dims_at(b, var2_);
    out.dims.insert(out.dims.end(), last.begin(), last.end());
    const bool old = by_position(context);
    if (var2_.empty() && (args_.add_var2_if_empty.is_none() ? old : args_.add_var2_if_empty.as_bool())) {
      out.dims.push_back(Dim::fixed(1, Dim::Kind::kFeature, context.absolute_name + ":dummy-var2"));
    }
    out.set_default_marks();
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput a = builder.source(0);
    const LayerOutput b = builder.source(1);
    Expr x = a.expr;
    Expr y = b.expr;
    if (args_.use_mask.is_none() || args_.use_mask.as_bool()) {
      x = masked(builder, a, red1_);
      y = masked(builder, b, red2_);
    }
    const std::vector<Dim> common = dims_at(a.data, common1_);
    const Dim inner = product(dims_at(a.data, red1_));
    const auto shaped = [&common](Expr value, const std::vector<int>& order, const Dim& rows, const Dim& columns) {
      std::vector<Dim> dims = common;
      dims.push_back(rows);
      dims.push_back(columns);
      return ops::reshape(permute_if_needed(value, order), dims);
    };
    x = shaped(x, joined(common1_, var1_, red1_), product(dims_at(a.data, var1_)), inner);
    y = shaped(y, joined(common2_, red2_, var2_), inner, product(dims_at(b.data, var2_)));
    return ops::reshape(ops::batch_matmul(x, y), builder.out_data().dims);
  }

 private:
  static Expr masked(LayerBuilder& builder, const LayerOutput& x, const std::vector<int>& axes) {
    Expr value = x.expr;
    for (const int axis : axes) {
      const Expr mask = axis_mask(builder, x.data, axis);
      value = mask.defined() ? ops::where(mask, value, ops::constant(builder.graph(), 0.0)) : value;
    }
    return value;
  }

  /// Below behavior_version 3 axes have places, unless "auto" asks for the rule of later versions.
  bool by_position(const LayerContext& context) const {
    return context.behavior_version < 3 && !is_auto(args_.var1) && !is_auto(args_.var2);
  }

  static bool is_auto(const Value& option) { return option.is_string() && option.as_string() == "auto"; }

  /// Options that are not given: by position below behavior_version 3, else "auto".
  std::vector<int> axes(const LayerContext& context, const char* name, const Value& option, const Data& x, int place) {
    const bool given = context.options.find(name) != nullptr;
    if (!given && option.is_none() && by_position(context)) {
      if (x.rank() + place < 0) {
        throw context.options.error(fmt::format("dot: no axis {} for {} in {}", place, name, x.str()));
      }
      return {x.rank() + place};
    }
    return !option.is_none() && !is_auto(option) ? axes_of_option(x, option, context.behavior_version)
                                                 : std::vector<int>{};
  }

  void find_axes(const Data& a, const Data& b, const LayerContext& context) {
    const bool both = !args_.reduce.is_none();
    if (both && (!args_.red1.is_none() || !args_.red2.is_none())) {
      throw args_.reduce.error("dot takes either reduce, or red1 and red2");
    }
    red1_ = axes(context, "red1", both ? args_.reduce : args_.red1, a, -1);
    red2_ = axes(context, "red2", both ? args_.reduce : args_.red2, b, -2);
    var1_ = axes(context, "var1", args_.var1, a, -2);
    var2_ = axes(context, "var2", args_.var2, b, -1);
    const std::vector<Dim> reduced1 = dims_at(a, red1_);
    const std::vector<Dim> reduced2 = dims_at(b, red2_);
    const bool fits =
        reduced1.size() == reduced2.size() && std::equal(reduced1.begin(), reduced1.end(), reduced2.begin(),
                                                         [](const Dim& p, const Dim& q) { return p.same_size(q); });
    if (!fits || reduced1.empty()) {
      throw context.options.error(fmt::format("dot: red1 of {} and red2 of {} do not fit", a.str(), b.str()));
    }
    match_common(a, b, context);
  }

  /// Axes that no option names pair up by role and size; with "auto" those without a partner are var.
  void match_common(const Data& a, const Data& b, const LayerContext& context) {
    const bool old = by_position(context);
    const bool auto1 = context.options.find("var1") == nullptr ? !old : is_auto(args_.var1);
    const bool auto2 = context.options.find("var2") == nullptr ? !old : is_auto(args_.var2);
    common1_.clear();
    common2_.clear();
    std::vector<int> rest = others(b, red2_, var2_);
    for (const int axis : others(a, red1_, var1_)) {
      const int partner = find_partner(a, axis, b, rest);
      if (partner >= 0) {
        common1_.push_back(axis);
        common2_.push_back(partner);
        rest.erase(std::find(rest.begin(), rest.end(), partner));
      } else if (auto1) {
        var1_.push_back(axis);
      } else {
        throw no_partner(context, a, axis, b);
      }
    }
    if (auto2) {
      var2_.insert(var2_.end(), rest.begin(), rest.end());
    } else if (!rest.empty()) {
      throw no_partner(context, b, rest[0], a);
    }
  }

  static Error no_partner(const LayerContext& context, const Data& x, int axis, const Data& y) {
    return context.options.error(fmt::format("dot: axis {} of {} has no partner in {}", axis, x.str(), y.str()));
  }

  static std::vector<int> others(const Data& x, const std::vector<int>& red, const std::vector<int>& var) {
    std::vector<int> rest;
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (std::find(red.begin(), red.end(), axis) == red.end() &&
          std::find(var.begin(), var.end(), axis) == var.end()) {
        rest.push_back(axis);
      }
    }
    return rest;
  }

  static int find_partner(const Data& a, int axis, const Data& b, const std::vector<int>& rest) {
    const Dim& dim = a.dims[static_cast<size_t>(axis)];
    for (const bool same : {true, false}) {
      for (const int other : rest) {
        const Dim& candidate = b.dims[static_cast<size_t>(other)];
        if (same ? dim == candidate : dim.is_batch() == candidate.is_batch() && dim.same_size(candidate)) {
          return other;
        }
      }
    }
    return -1;
  }

  DotArgs args_;
  std::vector<int> red1_, red2_, var1_, var2_;
  std::vector<int> common1_, common2_;  ///< paired by place
};

const RegisterLayer<DotLayer, DotArgs> kRegister{
    "dot",
    {},
    "Sum of products over axes of two sources: matrix products over any axes.",
    {R"({"class": "dot", "from": ["data", "data"], "red1": "T", "red2": "T", "var1": "F", "var2": "F"})"}};

}  // namespace
}  // namespace wende

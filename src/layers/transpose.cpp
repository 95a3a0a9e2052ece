#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"

namespace wende {
namespace {

struct TransposeArgs {
  Value perm, axis1, axis2;

  template <class V>
  void fields(V& v) {
    v.field("perm", perm, "dict: axis -> the axis that comes there, or the list of all axes in their new order");
    v.field("axis1", axis1, "swap_axes: one axis");
    v.field("axis2", axis2, "swap_axes: the other axis");
  }
};

/// The last axis of fixed size that is not the time axis.
int default_feature(const Data& x) {
  const std::vector<int> axes = x.static_axes();
  for (size_t i = axes.size(); i-- > 0;) {
    if (axes[i] != x.time_axis) {
      return axes[i];
    }
  }
  return -1;
}

/// The axes keep their meaning; only their order changes. But swap_axes leaves the feature axis last where it was.
class TransposeLayer : public Layer {
 public:
  explicit TransposeLayer(TransposeArgs args) : args_(std::move(args)) {
    const bool swaps = !args_.axis1.is_none() && !args_.axis2.is_none();
    const bool any = !args_.axis1.is_none() || !args_.axis2.is_none();
    if (has_perm() ? any : !swaps) {
      throw Error(ExitStatus::kConfig, "transpose takes a dict or list 'perm', and swap_axes takes axis1 and axis2");
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const int version = context.behavior_version;
    order_.assign(static_cast<size_t>(x.rank()), -1);
    if (args_.perm.is_dict()) {
      std::vector<bool> used(order_.size(), false);
      for (const auto& [to, from] : args_.perm.entries()) {
        const int target = axis_of_option(x, to, version);
        const int source = axis_of_option(x, from, version);
        order_[static_cast<size_t>(target)] = source;
        used[static_cast<size_t>(source)] = true;
      }
      fill_rest(used);
    } else if (args_.perm.is_sequence()) {
      if (args_.perm.items().size() != order_.size()) {
        throw args_.perm.error(fmt::format("perm has {} axes, the input is {}", args_.perm.items().size(), x.str()));
      }
      for (size_t i = 0; i < order_.size(); ++i) {
        order_[i] = axis_of_option(x, args_.perm.items()[i], version);
      }
    } else {
      const int a = axis_of_option(x, args_.axis1, version);
      const int b = axis_of_option(x, args_.axis2, version);
      for (int i = 0; i < x.rank(); ++i) {
        order_[static_cast<size_t>(i)] = i == a ? b : i == b ? a : i;
      }
    }
    std::vector<int> sorted = order_;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      throw args_.perm.error("perm uses an axis twice: " + args_.perm.repr());
    }
    Data out = x.permuted(order_);
    if (!has_perm() && x.feature_axis >= 0 && x.feature_axis == default_feature(x)) {
      out.feature_axis = default_feature(out);
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    return permute_if_needed(builder.input().expr, order_);
  }

 private:
  bool has_perm() const { return args_.perm.is_dict() || args_.perm.is_sequence(); }

  void fill_rest(const std::vector<bool>& used) {
    size_t next = 0;
    for (int& axis : order_) {
      if (axis >= 0) {
        continue;
      }
      while (used[next]) {
        ++next;
      }
      axis = static_cast<int>(next++);
    }
  }

  TransposeArgs args_;
  std::vector<int> order_;
};

const RegisterLayer<TransposeLayer, TransposeArgs> kRegister{
    "transpose", {}, "Reorders axes.", {R"({"class": "transpose", "perm": {"T": "F", "F": "T"}, "from": "data"})"}};
const RegisterLayer<TransposeLayer, TransposeArgs> kRegisterSwap{
    "swap_axes", {}, "Swaps two axes.", {R"({"class": "swap_axes", "axis1": "T", "axis2": "F", "from": "data"})"}};

}  // namespace
}  // namespace wende

#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/matmul.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct GenericAttentionArgs {
  Value base, weights;
  bool auto_squeeze = true;

  template <class V>
  void fields(V& v) {
    v.field("base", base, "layer whose frames are summed up, [B,T,...,F]");
    v.field("weights", weights, "layer with the weights of the frames, [B,T] and further axes");
    v.field("auto_squeeze", auto_squeeze, "leaves out axes of size 1 of the weights");
  }
};

/// Sums base over its time axis with weights, whose further axes stay unless base has them too.
class GenericAttentionLayer : public Layer {
 public:
  explicit GenericAttentionLayer(GenericAttentionArgs args) : args_(std::move(args)) {
    if (args_.base.is_none() || args_.weights.is_none()) {
      throw Error(ExitStatus::kConfig, "generic_attention needs \"base\" and \"weights\"");
    }
  }

  std::vector<std::string> refs() const override { return {args_.base.as_string(), args_.weights.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data& base = context.refs.at(args_.base.as_string());
    const Data& weights = context.refs.at(args_.weights.as_string());
    match(base, weights);
    Data out;
    out.name = context.name;
    const auto add = [&](const Data& of, int axis) {
      if (axis == of.time_axis && &of == &weights && out.time_axis < 0) {
        out.time_axis = out.rank();
      }
      out.dims.push_back(of.dims[static_cast<size_t>(axis)]);
    };
    add(base, base.batch_axis());
    for (const auto& [w, b] : common_) {
      add(base, b);
    }
    for (const int axis : kept_) {
      add(weights, axis);
    }
    add(base, base.feature_axis);
    out.feature_axis = out.rank() - 1;
    if (out.time_axis < 0) {
      const std::vector<int> dynamic = out.dynamic_axes();
      out.time_axis = dynamic.empty() ? -1 : dynamic.front();
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput base = builder.ref(args_.base.as_string());
    const LayerOutput weights = builder.ref(args_.weights.as_string());
    match(base.data, weights.data);
    // weights [B, common, kept in one, T] x base [B, common, T, F]
    std::vector<int> weight_order{weights.data.batch_axis()};
    std::vector<int> base_order{base.data.batch_axis()};
    std::vector<Dim> leading{base.data.dims[static_cast<size_t>(base.data.batch_axis())]};
    for (const auto& [w, b] : common_) {
      weight_order.push_back(w);
      base_order.push_back(b);
      leading.push_back(base.data.dims[static_cast<size_t>(b)]);
    }
    std::vector<Dim> kept;
    for (const int axis : kept_) {
      weight_order.push_back(axis);
      kept.push_back(weights.data.dims[static_cast<size_t>(axis)]);
    }
    for (const int axis : squeezed_) {
      weight_order.push_back(axis);
    }
    weight_order.push_back(reduced_);
    base_order.push_back(base.data.time_axis);
    base_order.push_back(base.data.feature_axis);
    const Dim rows = kept.empty()       ? Dim::fixed(1, Dim::Kind::kSpatial)
                     : kept.size() == 1 ? kept[0]
                                        : Dim::derived(Dim::Op::kMul, kept);
    std::vector<Dim> dims = leading;
    dims.push_back(rows);
    dims.push_back(base.data.time_dim());
    const Expr matrix = ops::reshape(permute_if_needed(weights.expr, weight_order), dims);
    const Expr sum = ops::batch_matmul(matrix, permute_if_needed(base.expr, base_order));
    std::vector<Dim> out = leading;
    out.insert(out.end(), kept.begin(), kept.end());
    out.push_back(base.data.dims[static_cast<size_t>(base.data.feature_axis)]);
    return ops::reshape(sum, out);
  }

 private:
  void match(const Data& base, const Data& weights) {
    if (!base.has_batch() || !base.has_time() || base.feature_axis < 0) {
      throw args_.base.error("generic_attention needs frames [B,T,...,F], got " + base.str());
    }
    if (!weights.has_batch() || !weights.has_time()) {
      throw args_.weights.error("generic_attention needs weights with a time axis, got " + weights.str());
    }
    reduced_ = axis_to_reduce(base, weights);
    common_.clear();
    kept_.clear();
    squeezed_.clear();
    std::vector<int> base_rest;
    for (int axis = 0; axis < base.rank(); ++axis) {
      if (axis != base.batch_axis() && axis != base.time_axis && axis != base.feature_axis) {
        base_rest.push_back(axis);
      }
    }
    for (int axis = weights.rank() - 1; axis >= 0; --axis) {
      if (axis == weights.batch_axis() || axis == reduced_) {
        continue;
      }
      const Dim& dim = weights.dims[static_cast<size_t>(axis)];
      if (!base_rest.empty() && base.dims[static_cast<size_t>(base_rest.back())].same_size(dim)) {
        common_.insert(common_.begin(), {axis, base_rest.back()});
        base_rest.pop_back();
      } else if (args_.auto_squeeze && dim.is_static() && dim.size() == 1) {
        squeezed_.push_back(axis);
      } else {
        kept_.insert(kept_.begin(), axis);
      }
    }
    if (!base_rest.empty()) {
      throw args_.weights.error(
          fmt::format("the weights {} do not have all further axes of the base {}", weights.str(), base.str()));
    }
  }

  /// The time axis, or, where there are several dynamic ones, that of base.
  int axis_to_reduce(const Data& base, const Data& weights) const {
    const std::vector<int> dynamic = weights.dynamic_axes();
    const auto fits = [&](int axis) { return weights.dims[static_cast<size_t>(axis)].same_size(base.time_dim()); };
    if (dynamic.size() > 1 && !fits(weights.time_axis)) {
      const auto found = std::find_if(dynamic.rbegin(), dynamic.rend(), fits);
      if (found == dynamic.rend()) {
        throw args_.weights.error(
            fmt::format("the weights {} have no axis like the time axis of the base {}", weights.str(), base.str()));
      }
      return *found;
    }
    if (!fits(weights.time_axis)) {
      throw args_.weights.error(
          fmt::format("the weights {} have other frames than the base {}", weights.str(), base.str()));
    }
    return weights.time_axis;
  }

  GenericAttentionArgs args_;
  int reduced_ = 0;
  std::vector<std::pair<int, int>> common_;  ///< axis of the weights, axis of the base
  std::vector<int> kept_, squeezed_;         ///< axes of the weights
};

const RegisterLayer<GenericAttentionLayer, GenericAttentionArgs> kRegister{
    "generic_attention",
    {},
    "Sums up the frames of base with given weights.",
    {R"({"class": "rec", "from": "data", "unit": {)"
     R"("energy": {"class": "dot", "from": ["base:data", "data:source"], "red1": "F", "red2": "F", "var1": "T", )"
     R"("var2": "T?", "add_var2_if_empty": False}, )"
     R"("weights": {"class": "softmax_over_spatial", "from": "energy"}, )"
     R"("output": {"class": "generic_attention", "weights": "weights", "base": "base:data"}}})"}};

}  // namespace
}  // namespace wende

#include <fmt/core.h>

#include <algorithm>

#include "layers/alignment.h"
#include "layers/layer_builder.h"
#include "ops/matmul.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct GenericAttentionArgs {
  Value weights, base;
  bool auto_squeeze = true;

  template <class V>
  void fields(V& v) {
    v.field("weights", weights, "layer of attention weights over the base's time axis");
    v.field("base", base, "layer whose frames are summed");
    v.field("auto_squeeze", auto_squeeze, "axes of size 1 of the weights vanish");
  }
};

/// Sum over time of weights * base: [B, axes of both, axes of the weights alone, F]. Padded frames are not masked:
/// their weights are 0.
class GenericAttentionLayer : public Layer {
 public:
  explicit GenericAttentionLayer(GenericAttentionArgs args) : args_(std::move(args)) {
    if (!args_.weights.is_string() || !args_.base.is_string()) {
      throw Error(ExitStatus::kConfig, "generic_attention needs 'weights' and 'base': layers");
    }
  }

  std::vector<std::string> refs() const override { return {args_.weights.as_string(), args_.base.as_string()}; }

  Data out_data(const LayerContext& context) override {
    if (!context.sources.empty()) {
      throw context.options.error("generic_attention takes only 'base' and 'weights', set \"from\": []");
    }
    const Data& weights = context.refs.at(args_.weights.as_string());
    const Data& base = context.refs.at(args_.base.as_string());
    if (!base.has_time() || base.feature_axis < 0 || !weights.has_time() || base.has_batch() != weights.has_batch()) {
      throw context.options.error(
          fmt::format("generic_attention needs a base [B,T,...,F] and weights with that time "
                      "axis, got {} and {}",
                      base.str(), weights.str()));
    }
    find_axes(weights, base, context);
    const auto from = [](const Data& x, const std::vector<int>& axes, Data& out) {
      for (const int axis : axes) {
        out.dims.push_back(x.dims[static_cast<size_t>(axis)]);
      }
    };
    Data out;
    out.name = context.name;
    from(weights, common_, out);
    from(weights, own_, out);
    from(base, {base.feature_axis}, out);
    out.set_default_marks();
    const auto dynamic = out.dynamic_axes();
    out.time_axis = dynamic.empty() ? -1 : dynamic.front();
    out.feature_axis = out.rank() - 1;
    if (context.n_out && *context.n_out != out.dims.back().size() && context.options.find("n_out") != nullptr) {
      throw context.options.error(
          fmt::format("n_out is {}, but the base has {} features", *context.n_out, out.dims.back().size()));
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput weights = builder.ref(args_.weights.as_string());
    const LayerOutput base = builder.ref(args_.base.as_string());
    // [common, own, T] x [common, T, F]
    std::vector<int> order = common_;
    order.insert(order.end(), own_.begin(), own_.end());
    order.push_back(weight_time_);
    order.insert(order.end(), squeezed_.begin(), squeezed_.end());
    std::vector<Dim> dims;
    for (const int axis : common_) {
      dims.push_back(weights.data.dims[static_cast<size_t>(axis)]);
    }
    std::vector<Dim> base_dims = dims;
    std::vector<Dim> own;
    for (const int axis : own_) {
      own.push_back(weights.data.dims[static_cast<size_t>(axis)]);
    }
    dims.push_back(own.empty() ? Dim::fixed(1) : own.size() == 1 ? own[0] : Dim::derived(Dim::Op::kMul, own));
    dims.push_back(base.data.time_dim());
    base_dims.push_back(base.data.time_dim());
    base_dims.push_back(out.dims.back());
    const Expr w = ops::reshape(permute_if_needed(weights.expr, order), dims);
    std::vector<int> base_order = base_common_;
    base_order.push_back(base.data.time_axis);
    base_order.push_back(base.data.feature_axis);
    const Expr b = ops::reshape(permute_if_needed(base.expr, base_order), base_dims);
    return ops::reshape(ops::batch_matmul(w, b), out.dims);
  }

 private:
  /// The weights' axis that is summed over: the one that is the base's time, else their own time axis.
  static int time_of(const Data& weights, const Data& base) {
    const std::vector<int> dynamic = weights.dynamic_axes();
    if (dynamic.size() <= 1 || std::find(dynamic.begin(), dynamic.end(), weights.time_axis) == dynamic.end()) {
      return weights.time_axis;
    }
    int found = -1;
    for (const int axis : dynamic) {
      if (weights.dims[static_cast<size_t>(axis)].same_size(base.time_dim())) {
        found = axis == weights.time_axis || found != weights.time_axis ? axis : found;
      }
    }
    return found;
  }

  void find_axes(const Data& weights, const Data& base, const LayerContext& context) {
    weight_time_ = time_of(weights, base);
    if (weight_time_ < 0 || !weights.dims[static_cast<size_t>(weight_time_)].same_size(base.time_dim())) {
      throw context.options.error(
          fmt::format("generic_attention: weights {} do not run over the time of base {}", weights.str(), base.str()));
    }
    std::vector<int> rest;
    for (int axis = 0; axis < base.rank(); ++axis) {
      if (axis != base.time_axis && axis != base.feature_axis && axis != base.batch_axis()) {
        rest.push_back(axis);
      }
    }
    common_.clear();
    base_common_.clear();
    own_.clear();
    squeezed_.clear();
    for (int axis = weights.rank() - 1; axis >= 0; --axis) {
      const Dim& dim = weights.dims[static_cast<size_t>(axis)];
      if (axis == weight_time_ || axis == weights.batch_axis()) {
        continue;
      }
      if (!rest.empty() && dim.same_size(base.dims[static_cast<size_t>(rest.back())])) {
        common_.insert(common_.begin(), axis);
        base_common_.insert(base_common_.begin(), rest.back());
        rest.pop_back();
      } else if (args_.auto_squeeze && dim.is_static() && dim.size() == 1) {
        squeezed_.push_back(axis);
      } else {
        own_.insert(own_.begin(), axis);
      }
    }
    if (!rest.empty()) {
      throw context.options.error(
          fmt::format("generic_attention: base {} has axes that weights {} lack", base.str(), weights.str()));
    }
    if (weights.has_batch()) {
      common_.insert(common_.begin(), weights.batch_axis());
      base_common_.insert(base_common_.begin(), base.batch_axis());
    }
  }

  GenericAttentionArgs args_;
  int weight_time_ = 0;
  std::vector<int> common_, base_common_;  ///< paired by place
  std::vector<int> own_, squeezed_;        ///< of the weights
};

const RegisterLayer<GenericAttentionLayer, GenericAttentionArgs> kRegister{
    "generic_attention",
    {},
    "The sum over time of weights times base.",
    {R"({"class": "generic_attention", "weights": "data", "base": "data", "from": []})"}};

}  // namespace
}  // namespace wende

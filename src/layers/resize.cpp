#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// Parts [...,T,...] in turn along `axis`: [..., T * parts, ...].
Expr interleave(const std::vector<Expr>& parts, int axis, const Dim& out) {
  std::vector<Expr> columns;
  for (const Expr& part : parts) {
    columns.push_back(ops::expand_dims(part, axis + 1));
  }
  const auto count = static_cast<int64_t>(parts.size());
  std::vector<Dim> dims = parts[0].dims();
  dims[static_cast<size_t>(axis)] = out;
  return ops::reshape(ops::concat(columns, axis + 1, Dim::fixed(count, Dim::Kind::kSpatial)), dims);
}

struct ResizeArgs {
  Value factor, axis, fill_value, fill_dropout;
  std::string kind = "nn";

  template <class V>
  void fields(V& v) {
    v.field("factor", factor, "how much longer the axis becomes: a number; a layer is not supported");
    v.field("axis", axis, "the axis");
    v.field("kind", kind, "\"nn\" (the nearest), \"linear\", \"cubic\" or \"fill\"");
    v.field("fill_value", fill_value, "for \"fill\": the number between the elements");
    v.field("fill_dropout", fill_dropout, "not supported");
  }
};

/// Up-sampling along an axis, which comes directly behind the batch axis.
class ResizeLayer : public Layer {
 public:
  explicit ResizeLayer(ResizeArgs args) : args_(std::move(args)) {
    if (args_.factor.kind() != Value::Kind::kInt || args_.factor.as_int() < 1) {
      throw args_.factor.error("resize with a factor other than a number > 0 is not supported by Wende " WENDE_VERSION);
    }
    if (!args_.fill_dropout.is_none()) {
      throw args_.fill_dropout.error("fill_dropout is not supported by Wende " WENDE_VERSION);
    }
    const std::vector<std::string> known{"nn", "nearest_neighbor", "linear", "cubic", "fill"};
    if (std::find(known.begin(), known.end(), args_.kind) == known.end()) {
      throw Error(ExitStatus::kConfig, "resize kind '" + args_.kind + "' is not supported by Wende " WENDE_VERSION)
          .hint(did_you_mean(args_.kind, known));
    }
    if (args_.kind == "fill" && !args_.fill_value.is_number()) {
      throw Error(ExitStatus::kConfig, "resize of kind 'fill' needs a number 'fill_value'");
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    if (args_.axis.is_none() || !x.has_batch()) {
      throw context.options.error("resize needs 'axis' and an input with a batch axis");
    }
    order_ = order_with_first(x.rank(), {x.batch_axis(), axis_of_option(x, args_.axis, context.behavior_version)});
    Data out = x.permuted(order_);
    out.dims[1] = times(out.dims[1], args_.factor.as_int(), context.absolute_name + ":resize");
    name_axes(context, "out_dim", {out.dims[1]});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const Expr x = permute_if_needed(builder.input().expr, order_);
    const int64_t factor = args_.factor.as_int();
    std::vector<Expr> parts{x};
    for (int64_t i = 1; i < factor; ++i) {
      if (args_.kind == "linear") {
        const double share = static_cast<double>(i) / static_cast<double>(factor);
        parts.push_back(ops::add(ops::scale(x, 1 - share), ops::scale(neighbor(x, 1), share)));
      } else if (args_.kind == "cubic") {
        parts.push_back(cubic(x, static_cast<double>(i) / static_cast<double>(factor)));
      } else if (args_.kind == "fill") {
        parts.push_back(ops::constant(builder.graph(), fill_value(out), x.dtype(), x.dims()));
      } else {
        parts.push_back(x);
      }
    }
    return interleave(parts, 1, out.dims[1]);
  }

 private:
  double fill_value(const Data& out) const {
    const double value = args_.fill_value.as_float();
    return out.sparse() && value < 0 ? value + static_cast<double>(out.sparse_dim.size()) : value;
  }

  /// Each element's right neighbour (step 1) or left one (-1); at the border the element itself.
  static Expr neighbor(Expr x, int step) {
    const Dim dim = x.dim(1);
    const Dim one = Dim::fixed(1, Dim::Kind::kSpatial);
    const Dim shorter = dim.is_static() ? Dim::fixed(std::max<int64_t>(dim.size() - 1, 0), dim.kind()) : dim - 1;
    if (step < 0) {
      return ops::concat({ops::slice(x, 1, 0, 1, 1, one), ops::slice(x, 1, 0, -1, 1, shorter)}, 1, dim);
    }
    return ops::concat({ops::slice(x, 1, 1, INT64_MAX, 1, shorter), ops::slice(x, 1, -1, INT64_MAX, 1, one)}, 1, dim);
  }

  /// Between an element and the next by Keys' cubic with a = -3/4, at a multiple of 1/1024 as in TensorFlow.
  static Expr cubic(Expr x, double share) {
    constexpr double kA = -0.75;
    share = std::nearbyint(share * 1024) / 1024;
    const auto near = [](double d) { return ((kA + 2) * d - (kA + 3)) * d * d + 1; };
    const auto far = [](double d) { return ((kA * d - 5 * kA) * d + 8 * kA) * d - 4 * kA; };
    const Expr next = neighbor(x, 1);
    const Expr middle = ops::add(ops::scale(x, near(share)), ops::scale(next, near(1 - share)));
    const Expr outer =
        ops::add(ops::scale(neighbor(x, -1), far(1 + share)), ops::scale(neighbor(next, 1), far(2 - share)));
    return ops::add(middle, outer);
  }

  ResizeArgs args_;
  std::vector<int> order_;
};

const RegisterLayer<ResizeLayer, ResizeArgs> kRegister{
    "resize",
    {},
    "Up-sampling along an axis.",
    {R"({"class": "resize", "factor": 2, "axis": "T", "from": "data"})",
     R"({"class": "resize", "factor": 3, "axis": "F", "kind": "linear", "from": "data"})",
     R"({"class": "resize", "factor": 3, "axis": "T", "kind": "cubic", "from": "data"})",
     R"({"class": "resize", "factor": 2, "axis": "T", "kind": "fill", "fill_value": 0.5, "from": "data"})"}};

}  // namespace
}  // namespace wende

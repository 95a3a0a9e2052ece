#include <fmt/core.h>

#include <algorithm>

#include "base/lower_case.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct PadArgs {
  Value axes, padding, value, out_dims, handle_dynamic_dims;
  std::string mode = "constant";

  template <class V>
  void fields(V& v) {
    v.field("axes", axes, "the axes to pad");
    v.field("padding", padding, "int, (left, right), or a list of these per axis");
    v.field("value", value, "what is padded (0)");
    v.field("mode", mode, "constant, replication (the border), reflect, symmetric");
    v.field("out_dims", out_dims, "dim tags that the padded axes stand for");
    v.field("handle_dynamic_dims", handle_dynamic_dims,
            "the right padding starts at each sequence's own end (from behavior_version 21 on)");
  }
};

class PadLayer : public Layer {
 public:
  explicit PadLayer(PadArgs args) : args_(std::move(args)) {
    args_.mode = lower_case(args_.mode);
    const std::vector<std::string> known{"constant", "replication", "reflect", "symmetric"};
    if (std::find(known.begin(), known.end(), args_.mode) == known.end()) {
      throw Error(ExitStatus::kConfig, "pad mode '" + args_.mode + "' is not supported by Wende " WENDE_VERSION)
          .hint(did_you_mean(args_.mode, known));
    }
  }

  Data out_data(const LayerContext& context) override {
    Data out = concat_input_data(context.sources, context.name);
    axes_ = axes_of_option(out, args_.axes, context.behavior_version);
    if (axes_.empty()) {
      throw args_.axes.error("pad: no axis " + args_.axes.repr() + " in " + out.str());
    }
    for (size_t i = 0; i < axes_.size(); ++i) {
      const auto [left, right] = padding(i);
      Dim& dim = out.dims[static_cast<size_t>(axes_[i])];
      if (left + right != 0) {
        dim = longer(dim, left + right, context.absolute_name + ":pad");
      }
    }
    std::vector<Dim> padded;
    for (const int axis : axes_) {
      padded.push_back(out.dims[static_cast<size_t>(axis)]);
    }
    name_axes(context, "out_dims", padded);
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput input = builder.input();
    const bool by_lengths = args_.handle_dynamic_dims.is_none() ? builder.context().behavior_version >= 21
                                                                : args_.handle_dynamic_dims.as_bool();
    Expr x = input.expr;
    for (size_t i = 0; i < axes_.size(); ++i) {
      const auto [left, right] = padding(i);
      const Dim& dim = out.dims[static_cast<size_t>(axes_[i])];
      const Dim& old = input.data.dims[static_cast<size_t>(axes_[i])];
      const bool masks = by_lengths && old.is_dynamic() && right > 0 && out.has_batch();
      if (args_.mode != "constant" && masks) {
        throw builder.context().options.error(
            fmt::format("pad: mode {} on a dynamic axis needs handle_dynamic_dims False, as in RETURNN", args_.mode));
      }
      x = padded(x, axes_[i], left, right, dim);
      x = masks ? beyond_end(builder, x, axes_[i], old, left, out) : x;
    }
    return x;
  }

 private:
  double value() const { return args_.value.is_none() ? 0.0 : args_.value.as_float(); }

  Expr padded(Expr x, int axis, int64_t left, int64_t right, const Dim& out) const {
    if (left + right == 0) {
      return x;
    }
    if (args_.mode == "constant") {
      return ops::pad(x, axis, left, right, value(), out);
    }
    const auto part = [&](int64_t begin, int64_t end, int64_t step, int64_t size) {
      return ops::slice(x, axis, begin, end, step, Dim::fixed(size, Dim::Kind::kSpatial));
    };
    const auto repeated = [&](Expr border, int64_t times) {
      std::vector<Dim> dims = border.dims();
      dims[static_cast<size_t>(axis)] = Dim::fixed(times, Dim::Kind::kSpatial);
      return ops::broadcast_to(border, dims);
    };
    std::vector<Expr> parts;
    if (left > 0) {
      parts.push_back(args_.mode == "replication" ? repeated(part(0, 1, 1, 1), left)
                      : args_.mode == "reflect"   ? part(left, 0, -1, left)
                                                  : part(left - 1, INT64_MIN, -1, left));
    }
    parts.push_back(x);
    if (right > 0) {
      parts.push_back(args_.mode == "replication" ? repeated(part(-1, INT64_MAX, 1, 1), right)
                      : args_.mode == "reflect"   ? part(-2, -2 - right, -1, right)
                                                  : part(-1, -1 - right, -1, right));
    }
    return ops::concat(parts, axis, out);
  }

  /// The value from each sequence's end on.
  Expr beyond_end(LayerBuilder& builder, Expr x, int axis, const Dim& old, int64_t left, const Data& out) const {
    Graph& graph = builder.graph();
    const Expr length = ops::add(builder.lengths(old), ops::int_constant(graph, left));
    const Expr end = along_axis(length, out.batch_axis(), out.rank());
    const Expr position = along_axis(ops::range(graph, out.dims[static_cast<size_t>(axis)]), axis, out.rank());
    return ops::where(ops::binary(ops::Binary::kLess, position, end), x, ops::constant(graph, value(), x.dtype()));
  }

  std::pair<int64_t, int64_t> padding(size_t i) const {
    const Value* part = &args_.padding;
    if (part->is_sequence() && !part->items().empty() && part->items()[0].is_sequence()) {
      if (part->items().size() != axes_.size()) {
        throw args_.padding.error(fmt::format("padding needs an entry for each of {} axes", axes_.size()));
      }
      part = &part->items()[i];
    }
    if (part->is_number()) {
      return {part->as_int(), part->as_int()};
    }
    if (!part->is_sequence() || part->items().size() != 2) {
      throw args_.padding.error("padding is an int, (left, right) or a list of these, got " + args_.padding.repr());
    }
    return {part->items()[0].as_int(), part->items()[1].as_int()};
  }

  PadArgs args_;
  std::vector<int> axes_;
};

const RegisterLayer<PadLayer, PadArgs> kRegister{
    "pad",
    {},
    "Pads axes: with a number, the border, or their mirror image.",
    {R"({"class": "pad", "axes": "F", "padding": (1, 2), "from": "data"})",
     R"({"class": "pad", "axes": "F", "padding": (2, 1), "mode": "reflect", "from": "data"})",
     R"({"class": "pad", "axes": "F", "padding": (2, 1), "mode": "symmetric", "from": "data"})",
     R"({"class": "pad", "axes": "T", "padding": 2, "mode": "replication", "from": "data"})",
     R"({"class": "pad", "axes": "T", "padding": (1, 2), "value": 0.5, "handle_dynamic_dims": True, "from": "data"})"}};

}  // namespace
}  // namespace wende

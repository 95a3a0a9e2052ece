#include <fmt/core.h>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/ctc.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct EditDistanceArgs {
  Value a, b, a_spatial_dim, b_spatial_dim;

  template <class V>
  void fields(V& v) {
    v.field("a", a, "layer of label sequences");
    v.field("b", b, "layer of label sequences");
    v.field("a_spatial_dim", a_spatial_dim, "the axis of a's sequences (time)");
    v.field("b_spatial_dim", b_spatial_dim, "the axis of b's sequences (time)");
  }
};

/// Levenshtein distance of each sequence: int32 [B].
class EditDistanceLayer : public Layer {
 public:
  explicit EditDistanceLayer(EditDistanceArgs args) : args_(std::move(args)) {
    for (const Value* name : {&args_.a, &args_.b}) {
      if (!name->is_string()) {
        throw name->error("edit_distance needs 'a' and 'b': names of layers, got " + name->repr());
      }
    }
  }

  std::vector<std::string> refs() const override { return {args_.a.as_string(), args_.b.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data& a = context.refs.at(args_.a.as_string());
    const Data& b = context.refs.at(args_.b.as_string());
    a_axis_ = sequence_axis(context, a, args_.a, args_.a_spatial_dim);
    b_axis_ = sequence_axis(context, b, args_.b, args_.b_spatial_dim);
    Data out;
    out.name = context.name;
    out.dtype = DType::kInt32;
    out.dims = {b.dims[static_cast<size_t>(b.batch_axis())]};
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput a = builder.ref(args_.a.as_string());
    const LayerOutput b = builder.ref(args_.b.as_string());
    const auto lengths = [&](const LayerOutput& x, int axis) {
      return builder.lengths(x.data.dims[static_cast<size_t>(axis)]);
    };
    const auto labels = [](const LayerOutput& x, int axis) {
      return permute_if_needed(ops::cast(x.expr, DType::kInt32), {x.data.batch_axis(), axis});
    };
    const Expr distance =
        ops::edit_distance(labels(a, a_axis_), lengths(a, a_axis_), labels(b, b_axis_), lengths(b, b_axis_));
    return ops::cast(distance, DType::kInt32);
  }

 private:
  static int sequence_axis(const LayerContext& context, const Data& x, const Value& name, const Value& axis) {
    const int found = axis.is_none() ? x.time_axis : axis_of_option(x, axis, context.behavior_version);
    if (!x.sparse() || x.rank() != 2 || !x.has_batch() || found < 0 || x.dims[static_cast<size_t>(found)].is_static()) {
      throw name.error("edit_distance needs label sequences [B,T], got " + x.str());
    }
    return found;
  }

  EditDistanceArgs args_;
  int a_axis_ = 0;
  int b_axis_ = 0;
};

const RegisterLayer<EditDistanceLayer, EditDistanceArgs> kRegister{
    "edit_distance",
    {},
    "How many labels must be added, deleted or replaced to make one sequence of another.",
    {R"({"class": "edit_distance", "a": "data:classes", "b": "data:classes"})"}};

}  // namespace
}  // namespace wende

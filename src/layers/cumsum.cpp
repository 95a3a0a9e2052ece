#include "ops/cumsum.h"

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/loop_axis.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct CumsumArgs {
  Value axis, additional_left_summand_per_element;
  bool reverse = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "along which axis (time)");
    v.field("additional_left_summand_per_element", additional_left_summand_per_element, "number added to each element");
    v.field("reverse", reverse, "from the end");
  }
};

class CumsumLayer : public Layer {
 public:
  explicit CumsumLayer(CumsumArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    one_step_ = is_loop_axis(args_.axis, x, context);
    if (one_step_) {
      if (args_.reverse) {
        throw context.options.error("cumsum in a loop cannot run from the end (reverse)");
      }
      return x;
    }
    axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    return x;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    Expr x = builder.input().expr;
    if (!args_.additional_left_summand_per_element.is_none()) {
      x = ops::add_scalar(x, args_.additional_left_summand_per_element.as_float());
    }
    if (one_step_) {
      return ops::add(builder.previous("", builder.out_data()).expr, x);
    }
    const Expr sum = ops::cumsum(x, axis_, args_.reverse);
    const Value* initial = builder.context().options.find("initial_output");
    return initial && initial->is_number() ? ops::add_scalar(sum, initial->as_float()) : sum;
  }

 private:
  bool one_step_ = false;
  CumsumArgs args_;
  int axis_ = 0;
};

const RegisterLayer<CumsumLayer, CumsumArgs> kRegister{
    "cumsum",
    {},
    "The running sum along an axis, or over the steps of a loop; padded frames count.",
    {R"({"class": "cumsum", "from": "data"})", R"({"class": "cumsum", "axis": "F", "reverse": True, "from": "data"})"}};

}  // namespace
}  // namespace wende

#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/dim_tag.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct VariableArgs {
  Value shape, init, init_by_layer, param_name, saveable, non_critical_for_restore;
  std::string dtype = "float32";
  bool add_batch_axis = false;
  bool add_time_axis = false;

  template <class V>
  void fields(V& v) {
    v.field("shape", shape, "sizes; () for one number");
    v.field("dtype", dtype, "float32");
    v.field("add_batch_axis", add_batch_axis, "the same for each sequence");
    v.field("add_time_axis", add_time_axis, "a time axis of size 1");
    v.field("init", init, "initialiser (0)");
    v.field("init_by_layer", init_by_layer, "layer whose output is the initial value");
    v.field("param_name", param_name, "name of the variable (that of the layer)");
    v.field("saveable", saveable, "must be True");
    v.field("non_critical_for_restore", non_critical_for_restore, "accepted; checkpoints hold all parameters");
  }
};

/// A parameter as a layer's output.
class VariableLayer : public Layer {
 public:
  explicit VariableLayer(VariableArgs args) : args_(std::move(args)) {
    if (!args_.shape.is_sequence()) {
      throw args_.shape.error("variable needs 'shape': a tuple of sizes, got " + args_.shape.repr());
    }
    if (args_.dtype != "float32") {
      throw Error(ExitStatus::kConfig,
                  "variables of dtype " + args_.dtype + " are not supported by Wende " WENDE_VERSION);
    }
    if (!args_.saveable.is_none() && !args_.saveable.as_bool()) {
      throw args_.saveable.error("saveable False is not supported by Wende " WENDE_VERSION);
    }
  }

  std::vector<std::string> refs() const override {
    return args_.init_by_layer.is_none() ? std::vector<std::string>{}
                                         : std::vector<std::string>{args_.init_by_layer.as_string()};
  }

  Data out_data(const LayerContext& context) override {
    Data out;
    out.name = context.name;
    shape_ = Shape();
    own_.clear();
    const auto& sizes = args_.shape.items();
    for (size_t i = 0; i < sizes.size(); ++i) {
      const Value* size = sizes[i].kind() == Value::Kind::kDim ? sizes[i].find("dimension") : &sizes[i];
      if (size == nullptr || size->kind() != Value::Kind::kInt || size->as_int() < 1) {
        throw sizes[i].error("a variable has sizes > 0, got " + sizes[i].repr());
      }
      const bool last = i + 1 == sizes.size();
      shape_.push_back(size->as_int());
      const Dim::Kind kind = last ? Dim::Kind::kFeature : Dim::Kind::kSpatial;
      own_.push_back(size == &sizes[i]
                         ? Dim::fixed(size->as_int(), kind, fmt::format("{}:static:{}", context.absolute_name, i))
                         : dim_of_tag(sizes[i], kind));
    }
    if (args_.add_batch_axis) {
      out.dims.push_back(context.batch_dim);
    }
    if (args_.add_time_axis) {
      out.time_axis = out.rank();
      out.dims.push_back(Dim::fixed(1, Dim::Kind::kSpatial, context.absolute_name + ":dummy-time"));
    }
    out.dims.insert(out.dims.end(), own_.begin(), own_.end());
    out.feature_axis = own_.empty() ? -1 : out.rank() - 1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const std::string name = args_.param_name.is_none() ? builder.context().name : args_.param_name.as_string();
    Expr x = builder.param(name, shape_, args_.init.is_none() ? Value::of(0.0) : args_.init, "zeros");
    if (!args_.init_by_layer.is_none()) {
      Data layout;
      layout.dims = own_;
      builder.initialize_with(name, broadcast_to_layout(builder.ref(args_.init_by_layer.as_string()), layout));
    }
    x = ops::reshape(x, own_);
    if (args_.add_time_axis) {
      x = ops::expand_dims(x, 0);
    }
    return args_.add_batch_axis ? ops::broadcast_to(ops::expand_dims(x, 0), out.dims) : x;
  }

 private:
  VariableArgs args_;
  Shape shape_;
  std::vector<Dim> own_;  ///< without the axes that options add
};

const RegisterLayer<VariableLayer, VariableArgs> kRegister{
    "variable",
    {},
    "A parameter as a layer's output.",
    {R"({"class": "variable", "shape": (3, 4), "init": "glorot_uniform", "is_output_layer": True})",
     R"({"class": "variable", "shape": (4,), "init": 0.5, "add_batch_axis": True, "add_time_axis": True, "is_output_layer": True})"}};

}  // namespace
}  // namespace wende

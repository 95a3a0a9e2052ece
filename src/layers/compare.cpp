#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/layer_builder.h"
#include "layers/layer_names.h"
#include "layers/outer_layout.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

using ops::Binary;

struct CompareArgs {
  std::string kind = "equal";
  Value value;

  template <class V>
  void fields(V& v) {
    v.field("kind", kind, "equal, not_equal, less, less_equal, greater or greater_equal; or ==, != ...");
    v.field("value", value, "a last operand");
  }
};

const std::vector<std::pair<std::string, Binary>>& comparisons() {
  static const std::vector<std::pair<std::string, Binary>> table{{"equal", Binary::kEqual},
                                                                 {"==", Binary::kEqual},
                                                                 {"not_equal", Binary::kNotEqual},
                                                                 {"!=", Binary::kNotEqual},
                                                                 {"<>", Binary::kNotEqual},
                                                                 {"less", Binary::kLess},
                                                                 {"<", Binary::kLess},
                                                                 {"less_equal", Binary::kLessEqual},
                                                                 {"<=", Binary::kLessEqual},
                                                                 {"greater", Binary::kGreater},
                                                                 {">", Binary::kGreater},
                                                                 {"greater_equal", Binary::kGreaterEqual},
                                                                 {">=", Binary::kGreaterEqual}};
  return table;
}

Expr number(Graph& graph, const Value& value, DType dtype) {
  const double x = value.kind() == Value::Kind::kBool ? (value.as_bool() ? 1 : 0) : value.as_float();
  return ops::constant(graph, x, dtype);
}

/// A chain: with three operands a < b and b < c.
class CompareLayer : public Layer {
 public:
  explicit CompareLayer(CompareArgs args) : args_(std::move(args)) {
    std::vector<std::string> known;
    bool found = false;
    for (const auto& [name, kind] : comparisons()) {
      known.push_back(name);
      if (name == args_.kind) {
        kind_ = kind;
        found = true;
      }
    }
    if (!found) {
      throw Error(ExitStatus::kConfig, "unknown compare kind '" + args_.kind + "'")
          .hint(did_you_mean(args_.kind, known));
    }
  }

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() + (args_.value.is_none() ? 0 : 1) < 2) {
      throw context.options.error("compare needs two operands: sources or 'value'");
    }
    Data out = outer_layout(context.sources, context.name, context.behavior_version);
    out.dtype = DType::kBool;
    out.sparse_dim = Dim();
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    std::vector<Expr> operands;
    bool any_float = args_.value.kind() == Value::Kind::kFloat;
    for (int i = 0; i < builder.source_count(); ++i) {
      operands.push_back(broadcast_to_layout(builder.source(i), builder.out_data()));
      any_float = any_float || operands.back().dtype() == DType::kFloat32;
    }
    const DType dtype = any_float ? DType::kFloat32 : DType::kInt32;
    for (Expr& operand : operands) {
      operand = ops::cast(operand, dtype);
    }
    if (!args_.value.is_none()) {
      operands.push_back(number(builder.graph(), args_.value, dtype));
    }
    Expr result = ops::binary(kind_, operands[0], operands[1]);
    for (size_t i = 2; i < operands.size(); ++i) {
      result = ops::binary(Binary::kLogicalAnd, result, ops::binary(kind_, operands[i - 1], operands[i]));
    }
    return result;
  }

 private:
  CompareArgs args_;
  Binary kind_ = Binary::kEqual;
};

struct SwitchArgs {
  Value condition, true_from, false_from;

  template <class V>
  void fields(V& v) {
    v.field("condition", condition, "bool layer, or a bool");
    v.field("true_from", true_from, "layer or number where it is true");
    v.field("false_from", false_from, "layer or number where it is false");
  }
};

class SwitchLayer : public Layer {
 public:
  explicit SwitchLayer(SwitchArgs args) : args_(std::move(args)) {
    for (const auto& [name, option] :
         {std::pair{"condition", &args_.condition}, std::pair{"true_from", &args_.true_from},
          std::pair{"false_from", &args_.false_from}}) {
      if (!option->is_string() && !option->is_number() && option->kind() != Value::Kind::kBool) {
        throw Error(ExitStatus::kConfig, fmt::format("switch needs '{}': a layer or a number", name));
      }
    }
  }

  std::vector<std::string> refs() const override {
    return layer_names({&args_.condition, &args_.true_from, &args_.false_from});
  }

  Data out_data(const LayerContext& context) override {
    std::vector<Data> parts;
    for (const Value* option : branches()) {
      parts.push_back(data_of(*option, context));
    }
    dtype_ =
        parts[0].dtype == DType::kInt32 && parts.back().dtype == DType::kFloat32 ? DType::kFloat32 : parts[0].dtype;
    Dim sparse = parts[0].sparse_dim;
    if (!sparse.defined()) {
      sparse = parts.back().sparse_dim;
    }
    if (args_.condition.is_string()) {
      parts.push_back(data_of(args_.condition, context));
    }
    Data out = broadcast_layout(parts, context.name);
    out.dtype = dtype_;
    out.sparse_dim = dtype_ == DType::kInt32 ? sparse : Dim();
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const Data& out = builder.out_data();
    std::vector<Expr> values;
    for (const Value* option : branches()) {
      if (option->is_string()) {
        values.push_back(ops::cast(broadcast_to_layout(builder.ref(option->as_string()), out), dtype_));
      } else {
        values.push_back(number(builder.graph(), *option, dtype_));
      }
    }
    Expr result = values[0];
    if (args_.condition.is_string()) {
      const Expr condition = broadcast_to_layout(builder.ref(args_.condition.as_string()), out);
      result = ops::where(ops::cast(condition, DType::kBool), values[0], values[1]);
    }
    return result.rank() == out.rank() ? result : ops::broadcast_to(result, out.dims);
  }

 private:
  /// With a fixed condition only one branch.
  std::vector<const Value*> branches() const {
    if (args_.condition.is_string()) {
      return {&args_.true_from, &args_.false_from};
    }
    return {args_.condition.as_bool() ? &args_.true_from : &args_.false_from};
  }

  static Data data_of(const Value& option, const LayerContext& context) {
    if (option.is_string()) {
      return context.refs.at(option.as_string());
    }
    Data data;
    data.name = option.repr();
    data.dtype = option.kind() == Value::Kind::kFloat  ? DType::kFloat32
                 : option.kind() == Value::Kind::kBool ? DType::kBool
                                                       : DType::kInt32;
    return data;
  }

  SwitchArgs args_;
  DType dtype_ = DType::kFloat32;
};

const RegisterLayer<CompareLayer, CompareArgs> kRegister{
    "compare",
    {},
    "Compares its sources, and a number, element by element.",
    {R"({"class": "compare", "kind": "greater", "value": 0.0, "from": "data"})"}};
const RegisterLayer<SwitchLayer, SwitchArgs> kRegisterSwitch{
    "switch",
    {},
    "Elements of one layer or of another, by a condition.",
    {R"({"class": "switch", "condition": True, "true_from": "data", "false_from": 0.0})"}};

}  // namespace
}  // namespace wende

#include <algorithm>

#include "layers/activation.h"
#include "layers/alignment.h"
#include "layers/concat_input.h"
#include "layers/eval_source.h"
#include "layers/layer_builder.h"
#include "layers/out_type.h"
#include "layers/outer_layout.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct EvalArgs {
  Value eval, eval_locals, kind, activation, with_bias;
  bool eval_for_output_loss = false;

  template <class V>
  void fields(V& v) {
    v.field("eval", eval, "expression or function of source(i), with TensorFlow operations");
    v.field("eval_locals", eval_locals, "dict of further names in the expression");
    v.field("kind", kind, "how the sources combine, e.g. \"add\"");
    v.field("activation", activation, "function of the result");
    v.field("eval_for_output_loss", eval_for_output_loss, "must be False");
    v.field("with_bias", with_bias, "adds a bias (False)");
  }
};

/// Sparse and dtype marks of the result follow the sources; a feature size in n_out or out_type replaces the source's.
/// An expression without sources needs an out_type with shape.
Data pointwise_data(const LayerContext& context) {
  if (context.sources.empty()) {
    if (const Value* type = context.options.find("out_type"); type && type->is_dict() && type->find("shape")) {
      Data out;
      out.name = context.name;
      return out;
    }
    throw context.options.error("layer '" + context.name + "' has no input: 'from' is empty");
  }
  return outer_layout(context.sources, context.name, context.behavior_version);
}

bool same_rank(const std::vector<Data>& sources) {
  return std::all_of(sources.begin(), sources.end(), [&](const Data& x) { return x.rank() == sources.front().rank(); });
}

Error unknown_kind(const Value& kind, const std::vector<std::string>& known) {
  const std::string hint = did_you_mean(kind.as_string(), known);
  return kind.error("unknown combine kind " + kind.repr())
      .hint(hint.empty() ? "such as add, sub, mul, truediv, maximum, minimum, average, squared_difference, eval"
                         : hint);
}

/// RETURNN's names and operator signs for the kinds of combine.
std::string binary_name(const Value& kind) {
  static const std::vector<std::pair<std::string, std::string>> names{{"add", "add"},
                                                                      {"+", "add"},
                                                                      {"sum", "add"},
                                                                      {"sub", "sub"},
                                                                      {"-", "sub"},
                                                                      {"mul", "mul"},
                                                                      {"*", "mul"},
                                                                      {"truediv", "truediv"},
                                                                      {"/", "truediv"},
                                                                      {"floordiv", "floordiv"},
                                                                      {"//", "floordiv"},
                                                                      {"mod", "mod"},
                                                                      {"%", "mod"},
                                                                      {"pow", "pow"},
                                                                      {"**", "pow"},
                                                                      {"maximum", "maximum"},
                                                                      {"minimum", "minimum"},
                                                                      {"max", "maximum"},
                                                                      {"min", "minimum"},
                                                                      {"logical_and", "logical_and"},
                                                                      {"logical_or", "logical_or"},
                                                                      {"squared_difference", "squared_difference"},
                                                                      {"average", "average"},
                                                                      {"subtract", "sub"},
                                                                      {"multiply", "mul"},
                                                                      {"divide", "truediv"},
                                                                      {"power", "pow"},
                                                                      {"floormod", "mod"},
                                                                      {"logaddexp", "logaddexp"},
                                                                      {"logical_xor", "logical_xor"},
                                                                      {"equal", "equal"},
                                                                      {"not_equal", "not_equal"},
                                                                      {"realdiv", "truediv"},
                                                                      {"true_divide", "truediv"},
                                                                      {"remainder", "mod"},
                                                                      {"atan2", "atan2"},
                                                                      {"arctan2", "atan2"},
                                                                      {"zeta", "zeta"},
                                                                      {"polygamma", "polygamma"},
                                                                      {"xlogy", "xlogy"},
                                                                      {"xlog1py", "xlog1py"},
                                                                      {"xdivy", "xdivy"},
                                                                      {"divide_no_nan", "divide_no_nan"},
                                                                      {"multiply_no_nan", "multiply_no_nan"},
                                                                      {"truncatediv", "truncatediv"},
                                                                      {"truncatemod", "truncatemod"},
                                                                      {"fmod", "fmod"},
                                                                      {"hypot", "hypot"}};
  const std::string& word = kind.as_string();
  std::vector<std::string> known{"eval"};
  for (const auto& [name, meaning] : names) {
    if (name == word) {
      return meaning;
    }
    known.push_back(name);
  }
  throw unknown_kind(kind, known);
}

class CombineLayer : public Layer {
 public:
  explicit CombineLayer(EvalArgs args) : args_(std::move(args)) {
    if (args_.eval_for_output_loss) {
      throw Error(ExitStatus::kConfig, "eval_for_output_loss is not supported by Wende " WENDE_VERSION);
    }
    if (!is_eval()) {
      if (args_.kind.is_none()) {
        throw Error(ExitStatus::kConfig, "combine needs 'kind', e.g. \"add\"");
      }
      binary_ = binary_name(args_.kind);
    }
  }

  Data out_data(const LayerContext& context) override {
    // Adding 10 features to 12 is a slip; RETURNN would make 10 x 12 of them.
    const bool as_they_are = !is_eval() && same_rank(context.sources);
    Data out = as_they_are ? broadcast_layout(context.sources, context.name) : pointwise_data(context);
    if (binary_ == "logical_and" || binary_ == "logical_or" || binary_ == "logical_xor") {
      out.dtype = DType::kBool;
    } else if ((binary_ == "equal" || binary_ == "not_equal") && out.dtype != DType::kBool) {
      throw args_.kind.error("combine '" + binary_ + "' takes bool, got " + out.str()).hint("use a 'compare' layer");
    } else if (binary_ == "truediv" || binary_ == "average") {
      out.dtype = DType::kFloat32;
    }
    if (is_eval() && args_.eval.is_none()) {
      throw context.options.error("kind 'eval' needs 'eval', the expression or function");
    }
    if (is_eval()) {
      apply_out_type(context, out);
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    std::vector<LayerOutput> sources;
    for (int i = 0; i < builder.source_count(); ++i) {
      sources.push_back(builder.source(i));
    }
    Expr x = is_eval() ? evaluate_sources(builder, sources, args_.eval, args_.eval_locals) : combine(sources, out);
    if (is_eval() && x.rank() != out.rank()) {
      throw args_.eval.error("eval gives " + x.type().str() + " where the template is " + out.str())
          .hint("say with out_type what it gives; it is the sources' common layout otherwise");
    }
    if (args_.with_bias.kind() == Value::Kind::kBool && args_.with_bias.as_bool()) {
      const Dim& dim = out.dims[static_cast<size_t>(out.feature_axis)];
      Data bias;
      bias.dims = {dim};
      bias.feature_axis = 0;
      x = ops::add(x, align_to({bias, builder.param("b", Shape{dim.size()}, Value(), "zeros")}, out));
    }
    if (!is_eval()) {
      x = broadcast_to_layout({with_dims(out, x), x}, out);
    }
    add_logits(builder, args_.activation, x);
    return apply_activation(args_.activation, x, out.feature_axis);
  }

 private:
  bool is_eval() const { return args_.kind.is_none() ? !args_.eval.is_none() : args_.kind.as_string() == "eval"; }

  /// The template of an expression that lacks nothing of `out` but sizes.
  static Data with_dims(const Data& out, const Expr& x) {
    Data data = out;
    if (x.rank() == out.rank()) {
      data.dims = x.dims();
    }
    return data;
  }

  Expr combine(const std::vector<LayerOutput>& sources, const Data& out) const {
    Expr x = align_to(sources[0], out);
    const std::string name = binary_ == "average" ? "add" : binary_;
    for (size_t i = 1; i < sources.size(); ++i) {
      x = traced_binary(name, x, align_to(sources[i], out));
    }
    return binary_ == "average" ? ops::scale(x, 1.0 / static_cast<double>(sources.size())) : x;
  }

  EvalArgs args_;
  std::string binary_;
};

class EvalLayer : public CombineLayer {
 public:
  explicit EvalLayer(EvalArgs args) : CombineLayer(as_eval(std::move(args))) {}

 private:
  static EvalArgs as_eval(EvalArgs args) {
    if (args.eval.is_none()) {
      throw Error(ExitStatus::kConfig, "layer class 'eval' needs 'eval'");
    }
    args.kind = Value::of("eval");
    return args;
  }
};

struct ActivationArgs {
  Value activation;
  Value opts;

  template <class V>
  void fields(V& v) {
    v.field("activation", activation, "the function, e.g. \"tanh\"");
    v.field("opts", opts, "accepted; has no effect");
  }
};

class ActivationLayer : public Layer {
 public:
  explicit ActivationLayer(ActivationArgs args) : args_(std::move(args)) {}
  Data out_data(const LayerContext& context) override {
    Data out = concat_input_data(context.sources, context.name);
    const bool of_complex = args_.activation.is_string() &&
                            (args_.activation.as_string() == "abs" || args_.activation.as_string() == "angle");
    out.dtype = of_complex && out.dtype == DType::kComplex64 ? DType::kFloat32 : out.dtype;
    return out;
  }
  Expr build(LayerBuilder& builder) override {
    const LayerOutput input = builder.input();
    const Value& option = args_.activation;
    add_logits(builder, option, input.expr);
    return apply_activation(option, input.expr, input.data.feature_axis);
  }

 private:
  ActivationArgs args_;
};

const RegisterLayer<CombineLayer, EvalArgs> kRegister{
    "combine",
    {},
    "Combines sources element by element, broadcasting over axes that one lacks.",
    {R"({"class": "combine", "kind": "add", "from": ["data", "data"]})"}};
const RegisterLayer<EvalLayer, EvalArgs> kRegisterEval{
    "eval",
    {},
    "Computes an expression of its sources with TensorFlow operations.",
    {R"({"class": "eval", "eval": "tf.square(source(0)) * 0.5", "from": "data"})"}};
const RegisterLayer<ActivationLayer, ActivationArgs> kRegisterActivation{
    "activation",
    {},
    "Applies a function to each element (softmax: to the feature axis).",
    {R"({"class": "activation", "activation": "tanh", "from": "data"})"}};

}  // namespace
}  // namespace wende

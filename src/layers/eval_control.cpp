#include "config/args.h"
#include "layers/eval_call.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/print.h"
#include "ops/reduce.h"
#include "ops/run_value.h"
#include "ops/while_loop.h"

namespace wende {
namespace {

bool in_training() {
  const TraceLayer* layer = GraphTrace::layer();
  return layer != nullptr && layer->train;
}

Value called(const Value& function, const std::vector<Value>& args = {}) {
  return function.is_callable() ? function.as_callable().call(args, {}) : function;
}

/// Chooses between two results of equal structure, element by element.
Value choose(Graph& graph, Expr condition, const Value& yes, const Value& no) {
  if (yes.is_sequence() && no.is_sequence() && yes.items().size() == no.items().size()) {
    std::vector<Value> items;
    for (size_t i = 0; i < yes.items().size(); ++i) {
      items.push_back(choose(graph, condition, yes.items()[i], no.items()[i]));
    }
    return Value::list(std::move(items), yes.kind());
  }
  const std::vector<Expr> parts = common_operands(graph, {yes, no});
  return traced(ops::where(condition, parts[0], parts[1]));
}

/// Both branches are computed; the condition is a scalar.
Value cond(const Call& call) {
  const Value& predicate = call.get(0, {"pred"});
  const Value& yes = call.get(1, {"true_fn", "fn1"});
  const Value& no = call.get(2, {"false_fn", "fn2"});
  if (!is_traced(predicate)) {
    return called(predicate.as_bool() ? yes : no);
  }
  const Expr condition = traced_expr(call.graph, predicate);
  if (condition.dtype() != DType::kBool || condition.rank() != 0) {
    throw Error(ExitStatus::kConfig, "the condition of tf.cond must be a scalar bool, got " + condition.type().str());
  }
  return choose(call.graph, condition, called(yes), called(no));
}

Value while_loop(const Call& call) {
  const Value& condition = call.get(0, {"cond"});
  const Value& body = call.get(1, {"body"});
  const Value& variables = call.get(2, {"loop_vars"});
  std::vector<Expr> start;
  for (const Value& variable : variables.items()) {
    start.push_back(traced_expr(call.graph, variable));
  }
  const auto values = [](const std::vector<Expr>& state) {
    std::vector<Value> result;
    for (const Expr& x : state) {
      result.push_back(traced(x));
    }
    return result;
  };
  const auto go_on = [&](const std::vector<Expr>& state) {
    return traced_expr(call.graph, called(condition, values(state)));
  };
  const auto next = [&](const std::vector<Expr>& state) {
    const Value result = called(body, values(state));
    std::vector<Expr> exprs;
    for (const Value& item : items_of(result)) {
      exprs.push_back(traced_expr(call.graph, item, exprs.size() < state.size() ? state[exprs.size()] : Expr()));
    }
    return exprs;
  };
  return Value::list(values(ops::while_loop(call.graph, start, go_on, next)), Value::Kind::kTuple);
}

Expr all_true(Expr x) {
  std::vector<int> axes;
  for (int i = 0; i < x.rank(); ++i) {
    axes.push_back(i);
  }
  return axes.empty() ? x : ops::reduce(ops::Reduction::kAll, x, axes);
}

/// The layer's output will depend on the check; here it is only noted.
Value noted(Expr holds, const Value* message, const std::string& fallback) {
  TraceLayer* layer = GraphTrace::layer();
  if (layer == nullptr) {
    throw Error(ExitStatus::kConfig, "assertions are supported in functions of layers only");
  }
  layer->checks.emplace_back(all_true(holds), message && message->is_string() ? message->as_string() : fallback);
  return traced(layer->checks.back().first);
}

TracedFunction assertion(const std::string& comparison) {
  return [comparison](const Call& call) {
    const std::vector<Expr> sides = common_operands(call.graph, {call.get(0, {"x"}), call.get(1, {"y"})});
    return noted(traced_binary(comparison, sides[0], sides[1]), call.find(3, {"message"}), "assert_" + comparison);
  };
}

/// Any later use of the result is of x itself: the check runs with the layer's output.
Value assert_all_finite(const Call& call) {
  const Expr x = traced_expr(call.graph, call.get(0, {"x", "tensor", "t"}));
  noted(ops::unary(ops::Unary::kIsFinite, x), call.find(1, {"message", "msg"}), "assert_all_finite");
  return traced(x);
}

Value assert_condition(const Call& call) {
  return noted(traced_expr(call.graph, call.get(0, {"condition"})), nullptr, "tf.Assert");
}

/// tf.Print(x, data, message) and RETURNN's py_print: x; prints x in each step.
Value print_through(const Call& call) {
  const Value* message = call.find(2, {"message"});
  const Expr x = traced_expr(call.graph, call.get(0, {"x", "input", "input_", "pass_through_value"}));
  return traced(ops::print(x, message && message->is_string() ? message->as_string() : "tf.Print", 10));
}

Value get_variable(const Call& call) {
  const TraceLayer* layer = GraphTrace::layer();
  if (layer == nullptr || !layer->variable) {
    throw Error(ExitStatus::kConfig, "variables can be made in functions of layers only");
  }
  std::vector<int64_t> sizes;
  const Value& shape = call.get(1, {"shape"});
  for (const Value& size : items_of(shape)) {
    sizes.push_back(size.as_int());
  }
  const Value* initializer = call.find(3, {"initializer"});
  const Value* trainable = call.find(5, {"trainable"});
  return traced(layer->variable(call.get(0, {"name"}).as_string(), Shape(sizes),
                                initializer == nullptr ? Value() : *initializer,
                                trainable == nullptr || trainable->is_none() || trainable->as_bool()));
}

/// tf.zeros_initializer(), tf.glorot_uniform_initializer(scale=...): the dict that an option of this meaning takes.
TracedFunction initializer(const std::string& name, std::vector<const char*> options) {
  return [name, options](const Call& call) {
    std::vector<Value::Entry> entries{{Value::of("class"), Value::of(name)}};
    for (size_t i = 0; i < options.size(); ++i) {
      if (const Value* given = call.find(i, {options[i]})) {
        entries.emplace_back(Value::of(options[i]), *given);
      }
    }
    return Value::dict(std::move(entries));
  };
}

Value nothing(const Call&) { return {}; }

}  // namespace

TracedFunctions control_functions() {
  return {{"cond", cond},
          {"while_loop", while_loop},
          {"cond_on_train",
           [](const Call& call) {
             return called(call.get(in_training() ? 0 : 1, {in_training() ? "fn_train" : "fn_eval"}));
           }},
          {"train_flag", [](const Call&) { return Value::of(in_training()); }},
          {"get_global_train_flag", [](const Call&) { return Value::of(in_training()); }},
          {"global_train_step", [](const Call& call) { return traced(ops::step_number(call.graph)); }},
          {"assert_equal", assertion("equal")},
          {"assert_less", assertion("less")},
          {"assert_less_equal", assertion("less_equal")},
          {"assert_greater", assertion("greater")},
          {"assert_greater_equal", assertion("greater_equal")},
          {"assert_all_finite", assert_all_finite},
          {"check_numerics", assert_all_finite},
          {"Assert", assert_condition},
          {"Print", print_through},
          {"py_print", print_through},
          // Summaries go to TensorBoard in RETURNN; they change no number.
          {"image", nothing},
          {"scalar", nothing},
          {"histogram", nothing},
          {"group", nothing},
          {"no_op", nothing},
          {"get_variable", get_variable},
          {"zeros_initializer", initializer("zeros", {})},
          {"ones_initializer", initializer("ones", {})},
          {"constant_initializer", initializer("constant", {"value"})},
          {"glorot_uniform_initializer", initializer("glorot_uniform", {"seed"})},
          {"glorot_normal_initializer", initializer("glorot_normal", {"seed"})},
          {"random_uniform_initializer", initializer("random_uniform", {"minval", "maxval", "seed"})},
          {"random_normal_initializer", initializer("random_normal", {"mean", "stddev", "seed"})},
          {"truncated_normal_initializer", initializer("truncated_normal", {"mean", "stddev", "seed"})}};
}

}  // namespace wende

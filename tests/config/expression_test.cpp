#include <gtest/gtest.h>

#include "config/config.h"

namespace wende {
namespace {

struct Traced : Opaque {
  explicit Traced(std::string text) : text(std::move(text)) {}
  std::string text;
};

Value traced(std::string text) { return Value::opaque(std::make_shared<Traced>(std::move(text))); }

std::string text_of(const Value& value) {
  if (value.kind() == Value::Kind::kTuple || value.kind() == Value::Kind::kList) {
    std::string out = "[";
    for (const Value& item : value.items()) out += (out.size() > 1 ? " " : "") + text_of(item);
    return out + "]";
  }
  if (value.kind() != Value::Kind::kOpaque) return value.repr();
  return std::dynamic_pointer_cast<const Traced>(value.as_opaque())->text;
}

struct Source : Callable {
  Value call(const std::vector<Value>& args, const std::vector<std::pair<std::string, Value>>& kwargs) const override {
    if (args[0].as_int() > 3) throw args[0].error("there are only 4 sources");
    return traced("s" + args[0].repr() + (kwargs.empty() ? "" : kwargs[0].first));
  }
  std::string name() const override { return "source"; }
};

/// What the expression did, as nested calls.
std::string trace(const std::string& expression) {
  const TraceHookGuard guard([](const std::string& op, const auto& args, const auto& kwargs) {
    if (op == "static_shape") return Value::list({Value(), Value::of(int64_t{5})});
    if (op == "dtype") return Value::of("float32");
    if (op == "nn.top_k") return Value::list({traced("a"), traced("b")}, Value::Kind::kTuple);
    std::string out = op + "(";
    for (const Value& arg : args) out += (out.back() == '(' ? "" : " ") + text_of(arg);
    for (const auto& [key, arg] : kwargs) out += " " + key + "=" + text_of(arg);
    return traced(out + ")");
  });
  const SourceSpan span{std::make_shared<const std::string>("my.config"), 7, 1};
  return text_of(evaluate_expression(expression, span, {{"source", Value::callable(std::make_shared<Source>())}}));
}

TEST(Expression, TracesOperatorsAndFunctions) {
  EXPECT_EQ(trace("source(0) + source(1) * 0.5"), "add(s0 mul(s1 0.5))");
  EXPECT_EQ(trace("1 - source(0)"), "sub(1 s0)");
  EXPECT_EQ(trace("tf.nn.log_sigmoid(-source(0, as_data=True))"), "nn.log_sigmoid(neg(s0as_data))");
  EXPECT_EQ(trace("tf.cast(source(0), tf.float32)"), "cast(s0 'float32')");
  EXPECT_EQ(trace("tf.compat.v1.where(source(0) > 0, 1., 0.)"), "where(greater(s0 0) 1.0 0.0)");
  EXPECT_EQ(trace("safe_log(source(0))"), "util.safe_log(s0)");
  EXPECT_EQ(trace("tf.reduce_sum(source(0), axis=-1)"), "reduce_sum(s0 axis=-1)");
  EXPECT_EQ(trace("source(0)[:, 1]"), "getitem(s0 [['slice' None None None] 1])");
  EXPECT_EQ(trace("tf.math.exp(source(0)) * math.sqrt(4)"), "mul(math.exp(s0) 2.0)");
  EXPECT_EQ(trace("source(0).shape[-1] * 2"), "10");
  EXPECT_EQ(trace("tf.nn.top_k(source(0), 3)[1]"), "b");
  EXPECT_EQ(trace("source(0).dtype.is_floating"), "True");
  EXPECT_EQ(trace("self.network.train_flag"), "network.train_flag()");
  EXPECT_EQ(trace("source(0, as_data=True).placeholder"), "attr(s0as_data 'placeholder')");
}

TEST(Expression, ErrorsNameTheConfigLine) {
  for (const auto& [expression, part] :
       std::vector<std::pair<std::string, std::string>>{{"source(9)", "there are only 4 sources"},
                                                        {"foo(1)", "NameError: name 'foo' is not defined"},
                                                        {"1 +", "invalid syntax"},
                                                        {"1 if source(0) else 2", "truth value"}}) {
    try {
      trace(expression);
      ADD_FAILURE() << expression;
    } catch (const Error& error) {
      EXPECT_EQ(error.diagnostics()[0].span.line, 7) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(Expression, ConfigFunctionsReachTheTensors) {
  const Config config = Config::from_source(
      "import tensorflow as tf\ndef transform(data, network):\n  x = data.placeholder\n"
      "  return network.cond_on_train(lambda: x * 2, lambda: x)\nepoch_factor = 3\n",
      "my.config");
  EXPECT_EQ(trace("self.network.get_config().typed_value('epoch_factor') * source(0)"), "mul(3 s0)");
  EXPECT_EQ(trace("self.network.get_config().typed_value('transform')(source(0), network=self.network)").substr(0, 22),
            "network.cond_on_train(");
}

}  // namespace
}  // namespace wende

#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "graph/graph.h"

namespace wende {

/// A graph expression that Python holds.
class TracedTensor : public Opaque {
 public:
  explicit TracedTensor(Expr expr) : expr(expr) {}
  const Expr expr;
};

/// A size that Python holds: an entry of tf.shape(x) that only the batch knows.
class TracedDim : public Opaque {
 public:
  explicit TracedDim(Dim dim) : dim(std::move(dim)) {}
  const Dim dim;
};

using KeywordArgs = std::vector<std::pair<std::string, Value>>;

Value traced(Expr expr);
bool is_traced(const Value& value);
/// The expression of a traced tensor, or a constant of `like`'s dtype (float32 without like) for a number or a bool.
Expr traced_expr(Graph& graph, const Value& value, const Expr& like = {});

/// The meaning of TF operation `op` ("nn.relu", "add", "getitem", ...) on graph; throws kConfig for unknown ones.
Value apply_traced(Graph& graph, const std::string& op, const std::vector<Value>& args, const KeywordArgs& kwargs);

/// What traced code may ask of the layer that it is traced for.
struct TraceLayer {
  bool train = false;
  std::function<uint32_t(const std::string&)> random_key;  ///< absent: random functions are refused
  int random_count = 0;
  /// tf.get_variable(name, shape, initializer, trainable); absent: refused.
  std::function<Expr(const std::string&, const Shape&, const Value&, bool)> variable;
  /// Assertions that the code made: bool scalars, with what to say when they do not hold.
  std::vector<std::pair<Expr, std::string>> checks;
};

/// While alive, TensorFlow operations of Python code append to `graph`.
class GraphTrace {
 public:
  explicit GraphTrace(Graph& graph, TraceLayer* layer = nullptr);
  ~GraphTrace();
  GraphTrace(const GraphTrace&) = delete;
  GraphTrace& operator=(const GraphTrace&) = delete;
  /// Of the innermost trace that is alive; nullptr if it is for no layer.
  static TraceLayer* layer();

 private:
  TraceHookGuard guard_;
  TraceLayer* previous_;
};

/// A C++ function for Python code.
Value native_function(std::string name, std::function<Value(const std::vector<Value>&, const KeywordArgs&)> function);

/// Element-wise functions by TF name ("tanh", "squared_difference", ...); undefined for unknown names.
Expr traced_unary(const std::string& name, Expr x);
/// With NumPy's broadcasting: axes are aligned from the right.
Expr traced_binary(const std::string& name, Expr a, Expr b);
const std::vector<std::string>& traced_unary_names();
/// Whether apply_traced knows a function of this name that is not element-wise ("cumsum", "l2_normalize", ...).
bool is_traced_function(const std::string& name);
bool is_traced_binary(const std::string& name);

}  // namespace wende

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/value.h"

namespace wende {

/// An evaluated config: its globals as Values with places. Unknown globals are kept (users' own variables).
class Config {
 public:
  struct Options {
    bool literal = false;                ///< accept literals only; nothing is executed
    std::vector<std::string> overrides;  ///< "++key", "value" pairs in order: {"learning_rate", "0.1", ...}
  };

  /// Reads and evaluates a file (Python with or without "#!", or JSON). Errors: absent 66; syntax, evaluation 78, with
  /// line.
  static Config from_file(const std::string& path, const Options& options);
  static Config from_file(const std::string& path) { return from_file(path, Options{}); }
  static Config from_source(const std::string& source, const std::string& file_name);

  const std::string& file_name() const { return file_name_; }
  const std::string& source() const { return source_; }
  const Value& globals() const { return globals_; }
  const Value* find(const std::string& key) const { return globals_.find(key); }
  bool has(const std::string& key) const { return find(key) != nullptr; }

  /// Typed reads with default; wrong types throw at the value's place.
  bool get_bool(const std::string& key, bool fallback) const;
  int64_t get_int(const std::string& key, int64_t fallback) const;
  double get_float(const std::string& key, double fallback) const;
  std::string get_string(const std::string& key, const std::string& fallback) const;

  /// Suspicious but accepted: keys written twice in one dict.
  const std::vector<Diagnostic>& warnings() const { return warnings_; }

  void set(const std::string& key, Value value) { globals_ = globals_.with(key, std::move(value)); }

 private:
  static Config from_text(std::string source, const std::string& file_name, const Options& options);

  std::string file_name_;
  std::string source_;
  Value globals_ = Value::dict({});
  std::vector<Diagnostic> warnings_;
};

/// Evaluates a Python expression of a config (an eval string) with extra names in scope. Callables among the names may
/// be C++ (Callable). Opaque values are seen by Python as objects of the stub class `tensorflow.Tensor`, whose
/// operators and the functions of the stub `tensorflow` module (tf.nn.relu, tf.exp, ...) call `TraceHook`.
Value evaluate_expression(const std::string& expression, const SourceSpan& span,
                          const std::vector<std::pair<std::string, Value>>& names);

/// Called for every operation on traced tensors while one is installed: op is the TF name without "tf." ("nn.relu",
/// "add", "getitem", "shape", "cast", "dtype", ...). layers/eval_trace.cpp installs it.
using TraceHook = std::function<Value(const std::string& op, const std::vector<Value>& args,
                                      const std::vector<std::pair<std::string, Value>>& kwargs)>;
class TraceHookGuard {
 public:
  explicit TraceHookGuard(TraceHook hook);
  ~TraceHookGuard();
  TraceHookGuard(const TraceHookGuard&) = delete;
  TraceHookGuard& operator=(const TraceHookGuard&) = delete;

 private:
  TraceHook previous_;
};

}  // namespace wende

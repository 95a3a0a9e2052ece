#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace wende {

/// A Python callable of the config. Called with the interpreter held by this process; errors carry the config's line.
class Value;
class Callable {
 public:
  virtual ~Callable() = default;
  virtual Value call(const std::vector<Value>& args,
                     const std::vector<std::pair<std::string, Value>>& kwargs) const = 0;
  virtual std::string name() const = 0;
};

/// A foreign object that passes through Python unseen (a traced tensor).
class Opaque {
 public:
  virtual ~Opaque() = default;
};

/// One value of an evaluated config with the place where it was written. Immutable; copies share.
/// None of the accessors converts silently: a wrong type throws Error kConfig with place, path, and both types.
class Value {
 public:
  enum class Kind { kNone, kBool, kInt, kFloat, kString, kList, kTuple, kSet, kDict, kCallable, kDim, kArray, kOpaque };
  using Entry = std::pair<Value, Value>;

  Value() = default;  ///< None
  static Value of(bool value);
  static Value of(int64_t value);
  static Value of(double value);
  static Value of(std::string value);
  static Value of(const char* value) { return of(std::string(value)); }
  static Value list(std::vector<Value> items, Kind kind = Kind::kList);
  static Value dict(std::vector<Entry> entries);
  static Value callable(std::shared_ptr<const Callable> callable);
  static Value opaque(std::shared_ptr<const Opaque> object);
  /// A Dim object of the config: entries "id" (int, same object = same id), "kind", "description", "dimension" and for
  /// derived ones "op" and "inputs".
  static Value dim(std::vector<Entry> entries);
  static Value array(std::string dtype, std::vector<int64_t> shape, std::vector<double> data);

  Kind kind() const;
  bool is_none() const { return kind() == Kind::kNone; }
  bool is_dict() const { return kind() == Kind::kDict; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_number() const { return kind() == Kind::kInt || kind() == Kind::kFloat; }
  bool is_sequence() const;  ///< list, tuple or set
  bool is_callable() const { return kind() == Kind::kCallable; }

  bool as_bool() const;     ///< True/False, and 0/1 as Python means it; strings are refused
  int64_t as_int() const;   ///< int; a bool or a float is refused
  double as_float() const;  ///< int or float
  const std::string& as_string() const;
  const std::vector<Value>& items() const;          ///< list, tuple, set
  const std::vector<Entry>& entries() const;        ///< dict (and Dim), in Python's order
  const Value* find(const std::string& key) const;  ///< dict (and Dim); nullptr if absent
  std::vector<std::string> keys() const;            ///< dict with string keys
  const Callable& as_callable() const;
  std::shared_ptr<const Callable> as_callable_ptr() const;
  std::shared_ptr<const Opaque> as_opaque() const;
  /// kArray: a numpy array (or nested numbers): dtype name, shape, doubles in C order.
  std::pair<std::vector<int64_t>, std::vector<double>> as_array() const;  ///< also nested lists of numbers

  const std::string& array_dtype() const;  ///< "float32", ...; kArray only

  const SourceSpan& span() const;
  const std::string& path() const;  ///< "network['fw0']['dropout']"
  Value placed(SourceSpan span, std::string path) const;
  /// A dict with one entry set or removed; the rest shared.
  Value with(const std::string& key, Value value) const;
  Value without(const std::string& key) const;

  std::string repr() const;                   ///< as Python prints it; long ones cut at 200 characters
  const char* type_name() const;              ///< Python's name: "int", "dict", ...
  bool operator==(const Value& other) const;  ///< by content, not by place; callables by identity

  /// Error kConfig at this value's place.
  Error error(std::string message) const;

 private:
  struct Content;
  struct Body;
  static Value make(Content content);
  const Content& content() const;
  Error wrong_type(const char* wanted) const;
  void write_repr(std::string& out, size_t limit, int depth) const;
  explicit Value(std::shared_ptr<const Body> body) : body_(std::move(body)) {}
  std::shared_ptr<const Body> body_;
};

}  // namespace wende

#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/value.h"

namespace wende {

/// Conversions that fields() walks use; an overload per type that options may have. Each throws at the value's place.
void read_value(const Value& value, bool& out);
void read_value(const Value& value, int64_t& out);
void read_value(const Value& value, double& out);
void read_value(const Value& value, std::string& out);
void read_value(const Value& value, Value& out);
template <class T>
void read_value(const Value& value, std::vector<T>& out) {  ///< a single value counts as a list of one
  out.clear();
  if (!value.is_sequence()) {
    T item{};
    read_value(value, item);
    out.push_back(std::move(item));
    return;
  }
  for (const Value& element : value.items()) {
    T item{};
    read_value(element, item);
    out.push_back(std::move(item));
  }
}
/// The items of a list, or a single value as the only one.
inline std::vector<Value> items_of(const Value& value) {
  std::vector<Value> items;
  read_value(value, items);
  return items;
}
template <class T>
void read_value(const Value& value, std::optional<T>& out) {  ///< None gives nullopt
  if (value.is_none()) {
    out.reset();
    return;
  }
  T item{};
  read_value(value, item);
  out = std::move(item);
}

/// Visitor that fills an args struct from a dict. Usage: ArgsReader reader(dict); args.fields(reader);
/// reader.finish(what); An args struct has `template <class V> void fields(V& v) { v.field("dropout", dropout, "drop
/// rate of the input"); }`.
class ArgsReader {
 public:
  explicit ArgsReader(const Value& dict) : dict_(dict) {}

  template <class T>
  void field(const char* name, T& target, const char* /*doc*/) {
    known_.emplace_back(name);
    if (const Value* value = dict_.find(name)) {
      errors_.run([&] { read_value(*value, target); });
    }
  }
  bool given(const std::string& name) const { return dict_.find(name) != nullptr; }

  /// Throws all wrong types and all unknown keys at once; `what`: "layer class 'linear'".
  void finish(const std::string& what);

 private:
  Value dict_;
  std::vector<std::string> known_;
  ErrorCollector errors_;
};

/// Visitor that lists the options of an args struct, for docs and `wende layers NAME`.
class ArgsDoc {
 public:
  struct Field {
    std::string name;
    std::string type;
    std::string fallback;
    std::string doc;
  };
  template <class T>
  void field(const char* name, T& target, const char* doc) {
    fields.push_back({name, type_text(target), default_text(target), doc});
  }
  std::vector<Field> fields;

 private:
  static std::string type_text(const bool&) { return "bool"; }
  static std::string type_text(const int64_t&) { return "int"; }
  static std::string type_text(const double&) { return "float"; }
  static std::string type_text(const std::string&) { return "str"; }
  static std::string type_text(const Value&) { return "any"; }
  template <class T>
  static std::string type_text(const std::vector<T>&) {
    return "list[" + type_text(T{}) + "]";
  }
  template <class T>
  static std::string type_text(const std::optional<T>&) {
    return type_text(T{}) + "|None";
  }
  static std::string default_text(const bool& value) { return value ? "True" : "False"; }
  static std::string default_text(const int64_t& value) { return std::to_string(value); }
  static std::string default_text(const double& value);
  static std::string default_text(const std::string& value) { return "\"" + value + "\""; }
  static std::string default_text(const Value& value) { return value.repr(); }
  template <class T>
  static std::string default_text(const std::vector<T>& value) {
    return value.empty() ? "[]" : "[...]";
  }
  template <class T>
  static std::string default_text(const std::optional<T>& value) {
    return value ? default_text(*value) : "None";
  }
};

}  // namespace wende

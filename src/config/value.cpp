#include "config/value.h"

#include <fmt/format.h>

#include <cmath>
#include <unordered_map>

#include "config/value_text.h"

namespace wende {
namespace {

constexpr size_t kReprLimit = 200;
constexpr size_t kIndexFrom = 16;  ///< smaller dicts are searched faster than hashed

}  // namespace

/// Shared by all copies of a value wherever they were placed.
struct Value::Content {
  Kind kind = Kind::kNone;
  int64_t integer = 0;  ///< also bool
  double number = 0;
  std::string text;  ///< string, dtype of an array
  std::vector<Value> items;
  std::vector<Entry> entries;
  std::unordered_map<std::string_view, size_t> index;
  std::shared_ptr<const Callable> callable;
  std::shared_ptr<const Opaque> opaque;
  std::vector<int64_t> shape;
  std::vector<double> data;
};

struct Value::Body {
  std::shared_ptr<const Content> content;
  SourceSpan span;
  std::string path;
};

Value Value::make(Content content) {
  if (content.entries.size() >= kIndexFrom) {
    for (size_t i = 0; i < content.entries.size(); ++i) {
      const Value& key = content.entries[i].first;
      if (key.is_string()) content.index.emplace(key.as_string(), i);
    }
  }
  auto body = std::make_shared<Body>();
  body->content = std::make_shared<const Content>(std::move(content));
  return Value(std::move(body));
}

const Value::Content& Value::content() const {
  static const Content none;
  return body_ ? *body_->content : none;
}

Value Value::of(bool value) { return make({.kind = Kind::kBool, .integer = value ? 1 : 0}); }
Value Value::of(int64_t value) { return make({.kind = Kind::kInt, .integer = value}); }
Value Value::of(double value) { return make({.kind = Kind::kFloat, .number = value}); }
Value Value::of(std::string value) { return make({.kind = Kind::kString, .text = std::move(value)}); }
Value Value::list(std::vector<Value> items, Kind kind) { return make({.kind = kind, .items = std::move(items)}); }
Value Value::dict(std::vector<Entry> entries) { return make({.kind = Kind::kDict, .entries = std::move(entries)}); }
Value Value::dim(std::vector<Entry> entries) { return make({.kind = Kind::kDim, .entries = std::move(entries)}); }
Value Value::callable(std::shared_ptr<const Callable> callable) {
  return make({.kind = Kind::kCallable, .callable = std::move(callable)});
}
Value Value::opaque(std::shared_ptr<const Opaque> object) {
  return make({.kind = Kind::kOpaque, .opaque = std::move(object)});
}
Value Value::array(std::string dtype, std::vector<int64_t> shape, std::vector<double> data) {
  return make({.kind = Kind::kArray, .text = std::move(dtype), .shape = std::move(shape), .data = std::move(data)});
}

Value::Kind Value::kind() const { return content().kind; }
bool Value::is_sequence() const { return kind() == Kind::kList || kind() == Kind::kTuple || kind() == Kind::kSet; }

Error Value::error(std::string message) const {
  Diagnostic diagnostic;
  diagnostic.span = span();
  diagnostic.path = path();
  diagnostic.message = std::move(message);
  return Error(ExitStatus::kConfig, std::move(diagnostic));
}

Error Value::wrong_type(const char* wanted) const {
  Error result = error(is_none() ? fmt::format("expected {}, got None", wanted)
                                 : fmt::format("expected {}, got {} {}", wanted, type_name(), repr()));
  if (is_string() && (looks_like_number(as_string()) || as_string() == "True" || as_string() == "False")) {
    result.hint("remove the quotes");
  }
  if (kind() == Kind::kFloat && std::abs(content().number) >= 0x1p63 && std::isfinite(content().number)) {
    result.hint("numbers have 64 bits");
  }
  if (kind() == Kind::kFloat && content().number == std::floor(content().number) && std::abs(content().number) < 1e15) {
    result.hint(fmt::format("write {:.0f}", content().number));
  }
  return result;
}

bool Value::as_bool() const {
  const Content& c = content();
  if (c.kind == Kind::kBool || (c.kind == Kind::kInt && (c.integer == 0 || c.integer == 1))) return c.integer != 0;
  throw wrong_type("True or False");
}

int64_t Value::as_int() const {
  if (kind() != Kind::kInt) throw wrong_type("an int");
  return content().integer;
}

double Value::as_float() const {
  if (kind() == Kind::kInt) return static_cast<double>(content().integer);
  if (kind() != Kind::kFloat) throw wrong_type("a float");
  return content().number;
}

const std::string& Value::as_string() const {
  if (kind() != Kind::kString) throw wrong_type("a str");
  return content().text;
}

const std::vector<Value>& Value::items() const {
  if (!is_sequence()) throw wrong_type("a list");
  return content().items;
}

const std::vector<Value::Entry>& Value::entries() const {
  if (kind() != Kind::kDict && kind() != Kind::kDim) throw wrong_type("a dict");
  return content().entries;
}

const Value* Value::find(const std::string& key) const {
  const std::vector<Entry>& all = entries();
  if (!content().index.empty()) {
    const auto found = content().index.find(key);
    return found == content().index.end() ? nullptr : &all[found->second].second;
  }
  for (const auto& [name, value] : all) {
    if (name.is_string() && name.as_string() == key) return &value;
  }
  return nullptr;
}

std::vector<std::string> Value::keys() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : entries()) names.push_back(key.as_string());
  return names;
}

const Callable& Value::as_callable() const {
  if (!is_callable()) throw wrong_type("a function");
  return *content().callable;
}

std::shared_ptr<const Callable> Value::as_callable_ptr() const {
  if (!is_callable()) throw wrong_type("a function");
  return content().callable;
}

std::shared_ptr<const Opaque> Value::as_opaque() const {
  if (kind() != Kind::kOpaque) throw wrong_type("a tensor");
  return content().opaque;
}

const std::string& Value::array_dtype() const {
  if (kind() != Kind::kArray) throw wrong_type("an array");
  return content().text;
}

std::pair<std::vector<int64_t>, std::vector<double>> Value::as_array() const {
  const Content& c = content();
  if (c.kind == Kind::kArray) return {c.shape, c.data};
  if (c.kind == Kind::kBool) return {{}, {static_cast<double>(c.integer)}};
  if (is_number()) return {{}, {as_float()}};
  if (!is_sequence()) throw wrong_type("an array of numbers");
  std::vector<int64_t> inner;
  std::vector<double> data;
  for (size_t i = 0; i < c.items.size(); ++i) {
    auto [shape, numbers] = c.items[i].as_array();
    if (i > 0 && shape != inner) throw c.items[i].error("rows of different lengths");
    inner = std::move(shape);
    data.insert(data.end(), numbers.begin(), numbers.end());
  }
  inner.insert(inner.begin(), static_cast<int64_t>(c.items.size()));
  return {std::move(inner), std::move(data)};
}

const SourceSpan& Value::span() const {
  static const SourceSpan unknown;
  return body_ ? body_->span : unknown;
}

const std::string& Value::path() const {
  static const std::string empty;
  return body_ ? body_->path : empty;
}

Value Value::placed(SourceSpan span, std::string path) const {
  auto body = std::make_shared<Body>();
  body->content = body_ ? body_->content : std::make_shared<const Content>();
  body->span = std::move(span);
  body->path = std::move(path);
  return Value(std::move(body));
}

Value Value::with(const std::string& key, Value value) const {
  std::vector<Entry> changed;
  if (body_) changed = entries();
  bool found = false;
  for (auto& [name, old] : changed) {
    if (!name.is_string() || name.as_string() != key) continue;
    old = value;
    found = true;
  }
  if (!found) changed.emplace_back(of(key), std::move(value));
  return dict(std::move(changed)).placed(span(), path());
}

Value Value::without(const std::string& key) const {
  std::vector<Entry> changed;
  for (const Entry& entry : entries()) {
    if (!entry.first.is_string() || entry.first.as_string() != key) changed.push_back(entry);
  }
  return dict(std::move(changed)).placed(span(), path());
}

bool Value::operator==(const Value& other) const {
  if (body_ == other.body_) return true;
  const Content& a = content();
  const Content& b = other.content();
  if (&a == &b) return true;
  if (is_number() && other.is_number() && a.kind != b.kind) return as_float() == other.as_float();
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::kNone:
      return true;
    case Kind::kBool:
    case Kind::kInt:
      return a.integer == b.integer;
    case Kind::kFloat:
      return a.number == b.number;
    case Kind::kString:
      return a.text == b.text;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
      return a.items == b.items;
    case Kind::kDict:
      if (a.entries.size() != b.entries.size()) return false;
      // Order does not matter; keys that are no strings are rare enough for a scan.
      for (const auto& [key, value] : a.entries) {
        const Value* match = nullptr;
        if (key.is_string()) {
          match = other.find(key.as_string());
        } else {
          for (const auto& [name, candidate] : b.entries) {
            if (name == key) match = &candidate;
          }
        }
        if (!match || !(*match == value)) return false;
      }
      return true;
    case Kind::kDim:
      return a.entries == b.entries;
    case Kind::kCallable:
      return a.callable == b.callable;
    case Kind::kOpaque:
      return a.opaque == b.opaque;
    case Kind::kArray:
      return a.text == b.text && a.shape == b.shape && a.data == b.data;
  }
  return false;
}

const char* Value::type_name() const {
  switch (kind()) {
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kSet:
      return "set";
    case Kind::kDict:
      return "dict";
    case Kind::kCallable:
      return "function";
    case Kind::kDim:
      return "Dim";
    case Kind::kArray:
      return "array";
    case Kind::kOpaque:
      return "object";
  }
  return "?";
}

std::string Value::repr() const {
  std::string out;
  write_repr(out, kReprLimit, 0);
  if (out.size() > kReprLimit) {
    size_t cut = kReprLimit - 3;
    while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xc0) == 0x80) --cut;
    out.resize(cut);
    out += "...";
  }
  return out;
}

void Value::write_repr(std::string& out, size_t limit, int depth) const {
  if (out.size() > limit) return;
  const Content& c = content();
  const auto list_of = [&](const char* open, const char* close) {
    out += open;
    for (size_t i = 0; i < c.items.size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      c.items[i].write_repr(out, limit, depth + 1);
    }
    if (c.kind == Kind::kTuple && c.items.size() == 1) out += ",";
    out += close;
  };
  const auto dict_of = [&](const char* open, const char* close) {
    out += open;
    for (size_t i = 0; i < c.entries.size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      c.entries[i].first.write_repr(out, limit, depth + 1);
      out += ": ";
      c.entries[i].second.write_repr(out, limit, depth + 1);
    }
    out += close;
  };
  switch (c.kind) {
    case Kind::kNone:
      out += "None";
      return;
    case Kind::kBool:
      out += c.integer ? "True" : "False";
      return;
    case Kind::kInt:
      out += std::to_string(c.integer);
      return;
    case Kind::kFloat:
      out += float_repr(c.number);
      return;
    case Kind::kString:
      out += string_repr(c.text);
      return;
    case Kind::kList:
    case Kind::kTuple:
      c.kind == Kind::kList ? list_of("[", "]") : list_of("(", ")");
      return;
    case Kind::kSet:
      c.items.empty() ? out += "set()" : (list_of("{", "}"), out);
      return;
    case Kind::kDict:
    case Kind::kDim:
      dict_of(c.kind == Kind::kDict ? "{" : "Dim{", "}");
      return;
    case Kind::kCallable:
      out += fmt::format("<function {}>", c.callable ? c.callable->name() : "?");
      return;
    case Kind::kArray:
      out += fmt::format("array(dtype={}, shape=({}))", c.text, fmt::join(c.shape, ", "));
      return;
    case Kind::kOpaque:
      out += "<object>";
      return;
  }
}

}  // namespace wende

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wende {

/// A JSON value. Objects keep the order of their members; integers that fit stay exact.
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;  ///< null
  Json(bool value) : data_(value) {}
  Json(int value) : data_(static_cast<int64_t>(value)) {}
  Json(int64_t value) : data_(value) {}
  Json(uint64_t value) : data_(static_cast<int64_t>(value)) {}
  Json(double value) : data_(value) {}
  Json(const char* value) : data_(std::string(value)) {}
  Json(std::string value) : data_(std::move(value)) {}
  Json(Array value) : data_(std::move(value)) {}
  Json(Object value) : data_(std::move(value)) {}
  static Json object() { return Json(Object{}); }
  static Json array() { return Json(Array{}); }

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<int64_t>(data_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  /// These throw Error kMalformedInput on another type.
  bool as_bool() const;
  int64_t as_int() const;
  double as_double() const;  ///< also of an integer
  const std::string& as_string() const;
  const Array& items() const;
  const Object& members() const;

  const Json* find(std::string_view key) const;  ///< nullptr if absent or not an object
  const Json& at(std::string_view key) const;    ///< throws if absent
  Json& set(std::string key, Json value);        ///< adds or replaces a member; returns *this
  Json& push(Json value);                        ///< appends to an array; returns *this

  /// indent < 0: one line without spaces. NaN and infinities have no JSON form and become null.
  std::string dump(int indent = -1) const;

  /// Strict (RFC 8259): no comments, no trailing commas, no duplicate keys, no text behind. `what` names the source in
  /// errors.
  static Json parse(std::string_view text, const std::string& what = "JSON");

 private:
  void write(std::string& out, int indent, int depth) const;
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> data_;
};

/// The text in double quotes with JSON's escapes; bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);

}  // namespace wende

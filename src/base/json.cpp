#include "base/json.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace wende {
namespace {

Error wrong_type(const char* wanted) {
  return Error(ExitStatus::kMalformedInput, fmt::format("JSON: expected {}", wanted));
}

template <class T, class Data>
const T& held(const Data& data, const char* wanted) {
  if (const T* value = std::get_if<T>(&data)) return *value;
  throw wrong_type(wanted);
}

/// Bytes of the valid UTF-8 sequence at the start of the text; 0 if there is none.
size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80                   ? 1
                        : lead >= 0xc2 && lead < 0xe0 ? 2
                        : lead >= 0xe0 && lead < 0xf0 ? 3
                        : lead >= 0xf0 && lead < 0xf5 ? 4
                                                      : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  const auto second = length > 1 ? static_cast<unsigned char>(text[1]) : 0;
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool outside = (lead == 0xed && second >= 0xa0) || (lead == 0xf4 && second >= 0x90);
  return overlong || outside ? 0 : length;
}

}  // namespace

bool Json::as_bool() const { return held<bool>(data_, "true or false"); }
int64_t Json::as_int() const { return held<int64_t>(data_, "an integer"); }
double Json::as_double() const {
  if (const int64_t* value = std::get_if<int64_t>(&data_)) return static_cast<double>(*value);
  return held<double>(data_, "a number");
}
const std::string& Json::as_string() const { return held<std::string>(data_, "a string"); }
const Json::Array& Json::items() const { return held<Array>(data_, "an array"); }
const Json::Object& Json::members() const { return held<Object>(data_, "an object"); }

const Json* Json::find(std::string_view key) const {
  const Object* object = std::get_if<Object>(&data_);
  if (!object) return nullptr;
  for (const auto& [name, value] : *object) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  const Json* value = find(key);
  if (!value) throw Error(ExitStatus::kMalformedInput, fmt::format("JSON: no member \"{}\"", key));
  return *value;
}

Json& Json::set(std::string key, Json value) {
  if (is_null()) data_ = Object{};
  Object& object = std::get<Object>(data_);
  for (auto& [name, old] : object) {
    if (name == key) {
      old = std::move(value);
      return *this;
    }
  }
  object.emplace_back(std::move(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) data_ = Array{};
  std::get<Array>(data_).push_back(std::move(value));
  return *this;
}

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) {
      const size_t length = utf8_length(text.substr(i));
      out += length == 0 ? "\xef\xbf\xbd" : text.substr(i, length);
      i += length == 0 ? 1 : length;
      continue;
    }
    ++i;
    switch (byte) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20 || byte == 0x7f) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += static_cast<char>(byte);
        }
    }
  }
  return out + '"';
}

void Json::write(std::string& out, int indent, int depth) const {
  const auto new_line = [&](int levels) {
    if (indent >= 0) out += '\n' + std::string(static_cast<size_t>(indent) * levels, ' ');
  };
  if (is_null()) {
    out += "null";
  } else if (const bool* flag = std::get_if<bool>(&data_)) {
    out += *flag ? "true" : "false";
  } else if (const int64_t* whole = std::get_if<int64_t>(&data_)) {
    out += std::to_string(*whole);
  } else if (const double* number = std::get_if<double>(&data_)) {
    std::string text = std::isfinite(*number) ? fmt::format("{}", *number) : "null";
    if (std::isfinite(*number) && text.find_first_of(".e") == std::string::npos) text += ".0";
    out += text;
  } else if (const std::string* text = std::get_if<std::string>(&data_)) {
    out += json_quote(*text);
  } else if (const Array* array = std::get_if<Array>(&data_)) {
    out += '[';
    for (size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      new_line(depth + 1);
      (*array)[i].write(out, indent, depth + 1);
    }
    if (!array->empty()) new_line(depth);
    out += ']';
  } else {
    const Object& object = std::get<Object>(data_);
    out += '{';
    for (size_t i = 0; i < object.size(); ++i) {
      if (i > 0) out += ',';
      new_line(depth + 1);
      out += json_quote(object[i].first) + (indent >= 0 ? ": " : ":");
      object[i].second.write(out, indent, depth + 1);
    }
    if (!object.empty()) new_line(depth);
    out += '}';
  }
}

std::string Json::dump(int indent) const {
  std::string out;
  write(out, indent, 0);
  return out;
}

}  // namespace wende

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <unordered_set>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace wende {
namespace {

constexpr int kMaxDepth = 200;

class JsonParser {
 public:
  JsonParser(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  Json document() {
    Json value = parse_value(0);
    skip_space();
    if (at_ != text_.size()) fail("text behind the end of the value");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(ExitStatus::kMalformedInput, fmt::format("{}: byte {}: {}", what_, at_, message));
  }
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("expected '{}'", c));
  }

  Json parse_value(int depth) {
    if (depth > kMaxDepth) fail("nested too deeply");
    skip_space();
    if (at_ >= text_.size()) fail("unexpected end");
    const char c = peek();
    if (c == '{') return parse_object(depth);
    if (c == '[') return parse_array(depth);
    if (c == '"') return Json(parse_string());
    if (c == '-' || (c >= '0' && c <= '9')) return parse_number();
    if (word("true")) return Json(true);
    if (word("false")) return Json(false);
    if (word("null")) return Json();
    fail("expected a value");
  }
  bool word(std::string_view name) {
    if (text_.substr(at_, name.size()) != name) return false;
    at_ += name.size();
    return true;
  }

  Json parse_object(int depth) {
    expect('{');
    Json::Object members;
    std::unordered_set<std::string> seen;
    if (accept('}')) return Json(std::move(members));
    do {
      skip_space();
      if (peek() != '"') fail("expected a member name in double quotes");
      std::string name = parse_string();
      if (!seen.insert(name).second) fail(fmt::format("member {} twice", json_quote(name)));
      expect(':');
      members.emplace_back(std::move(name), parse_value(depth + 1));
    } while (accept(','));
    expect('}');
    return Json(std::move(members));
  }

  Json parse_array(int depth) {
    expect('[');
    Json::Array items;
    if (accept(']')) return Json(std::move(items));
    do {
      items.push_back(parse_value(depth + 1));
    } while (accept(','));
    expect(']');
    return Json(std::move(items));
  }

  void digits() {
    if (peek() < '0' || peek() > '9') fail("expected a digit");
    while (peek() >= '0' && peek() <= '9') ++at_;
  }

  Json parse_number() {
    const size_t start = at_;
    if (peek() == '-') ++at_;
    if (peek() == '0') {
      ++at_;
    } else {
      digits();
    }
    bool whole = true;
    if (peek() == '.') {
      whole = false;
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    const char* first = text_.data() + start;
    const char* last = text_.data() + at_;
    int64_t integer = 0;
    if (whole && std::from_chars(first, last, integer).ec == std::errc()) return Json(integer);
    double number = 0;
    if (std::from_chars(first, last, number).ec != std::errc()) fail("number out of range");
    return Json(number);
  }

  unsigned hex4() {
    unsigned code = 0;
    const std::string_view four = text_.substr(std::min(at_, text_.size()), 4);
    const auto [end, error] = std::from_chars(four.data(), four.data() + four.size(), code, 16);
    if (four.size() != 4 || error != std::errc() || end != four.data() + 4) fail("expected four hexadecimal digits");
    at_ += 4;
    return code;
  }

  void escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kBytes = "\"\\/\b\f\n\r\t";
    const char c = peek();
    ++at_;
    if (c != 'u') {
      const size_t index = c == '\0' ? std::string_view::npos : kNames.find(c);
      if (index == std::string_view::npos) fail("unknown escape");
      out += kBytes[index];
      return;
    }
    unsigned code = hex4();
    if (code >= 0xdc00 && code < 0xe000) fail("half of a surrogate pair");
    if (code >= 0xd800 && code < 0xdc00) {
      if (!word("\\u")) fail("half of a surrogate pair");
      const unsigned low = hex4();
      if (low < 0xdc00 || low >= 0xe000) fail("half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
  }

  std::string parse_string() {
    std::string out;
    ++at_;
    while (true) {
      if (at_ >= text_.size()) fail("string without end");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (static_cast<unsigned char>(c) < 0x20) fail("control character in a string");
      if (c == '\\') {
        escape(out);
      } else {
        out += c;
      }
    }
  }

  std::string_view text_;
  const std::string& what_;
  size_t at_ = 0;
};

}  // namespace

Json Json::parse(std::string_view text, const std::string& what) { return JsonParser(text, what).document(); }

}  // namespace wende

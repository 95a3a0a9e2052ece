#include "config/literal.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/utf8.h"
#include "config/value_text.h"

namespace wende {
namespace {

constexpr int kMaxDepth = 200;

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_part(char c) { return is_name_start(c) || is_digit(c); }

class LiteralReader {
 public:
  LiteralReader(std::string_view text, const std::string& file, bool json, std::vector<Diagnostic>* warnings)
      : text_(text),
        file_(file.empty() ? nullptr : std::make_shared<const std::string>(file)),
        json_(json),
        warnings_(warnings) {}

  Value document() {
    brackets_ = 1;  // a literal alone may span lines
    skip_space();
    Value value = json_ ? literal("", 0) : literals("");
    skip_space();
    if (at_ < text_.size()) fail("text behind the end of the literal");
    return value;
  }

  Value config() {
    Value globals = Value::dict({});
    while (true) {
      skip_blank_lines();
      if (at_ >= text_.size()) return globals;
      if (peek() == '"' || peek() == '\'') {  // a comment in the form of a string
        string();
      } else {
        const SourceSpan place = here();
        const std::string name = this->name();
        skip_space();
        if (name.empty() || peek() != '=' || peek(1) == '=') {
          throw Error(ExitStatus::kConfig, "only `name = literal` is accepted in literal mode").at(place);
        }
        ++at_;
        skip_space();
        Value value = literals(name);
        globals = globals.with(name, value.placed(place, name));
      }
      skip_space();
      if (at_ < text_.size() && peek() != '\n' && peek() != ';') fail("only literals are accepted in literal mode");
    }
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string found(text_.substr(at_, std::min<size_t>(end - at_, 30)));
    throw Error(ExitStatus::kConfig, fmt::format("{}, found {}", message, string_repr(found))).at(here());
  }
  SourceSpan here() const {
    if (at_ < counted_) {
      counted_ = 0;
      line_ = 1;
    }
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
    counted_ = at_;
    const size_t line_start = at_ == 0 ? std::string_view::npos : text_.rfind('\n', at_ - 1);
    const size_t column = line_start == std::string_view::npos ? at_ + 1 : at_ - line_start;
    return {file_, line_, static_cast<int>(column)};
  }
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void skip_space() {
    while (at_ < text_.size()) {
      const char c = peek();
      if (c == '#' && !json_) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || (c == '\n' && brackets_ > 0)) {
        ++at_;
      } else if (c == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'))) {
        at_ += peek(1) == '\n' ? 2 : 3;
      } else {
        return;
      }
    }
  }
  void skip_blank_lines() {
    ++brackets_;
    skip_space();
    --brackets_;
    while (peek() == ';') {
      ++at_;
      skip_blank_lines();
    }
  }

  std::string name() {
    const size_t start = at_;
    if (!is_name_start(peek())) return "";
    while (is_name_part(peek())) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  /// `1, 2` without brackets is a tuple.
  Value literals(const std::string& path) {
    const SourceSpan place = here();
    Value first = literal(path, 0);
    skip_space();
    if (peek() != ',') return first;
    std::vector<Value> items = {first};
    while (peek() == ',') {
      ++at_;
      skip_space();
      if (at_ >= text_.size() || peek() == '\n' || peek() == ';') break;
      items.push_back(literal(fmt::format("{}[{}]", path, items.size()), 0));
      skip_space();
    }
    return Value::list(std::move(items), Value::Kind::kTuple).placed(place, path);
  }

  Value literal(const std::string& path, int depth) {
    if (depth > kMaxDepth) fail("nested too deeply");
    const SourceSpan place = here();
    return bare_literal(path, depth).placed(place, path);
  }

  Value bare_literal(const std::string& path, int depth) {
    const char c = peek();
    if (c == '{') return braces(path, depth);
    if (c == '[') return sequence(']', Value::Kind::kList, path, depth);
    if (c == '(' && !json_) return sequence(')', Value::Kind::kTuple, path, depth);
    if (c == '"' || c == '\'') return Value::of(string());
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(1);
    if (c == '-' || (c == '+' && !json_)) {
      ++at_;
      skip_space();
      if (!is_digit(peek()) && peek() != '.') fail("expected a number");
      return number(c == '-' ? -1 : 1);
    }
    const size_t start = at_;
    const std::string word = name();
    if ((peek() == '"' || peek() == '\'') && (word == "r" || word == "R" || word == "u" || word == "U")) {
      at_ = start;
      return Value::of(string());
    }
    if (word == (json_ ? "null" : "None")) return Value();
    if (word == (json_ ? "true" : "True")) return Value::of(true);
    if (word == (json_ ? "false" : "False")) return Value::of(false);
    at_ = start;
    fail("expected a literal");
  }

  Value sequence(char close, Value::Kind kind, const std::string& path, int depth) {
    ++at_;
    ++brackets_;
    std::vector<Value> items;
    bool comma = false;
    for (skip_space(); peek() != close; skip_space()) {
      items.push_back(literal(fmt::format("{}[{}]", path, items.size()), depth + 1));
      skip_space();
      comma = peek() == ',';
      if (!comma && peek() != close) fail(fmt::format("expected ',' or '{}'", close));
      if (comma) ++at_;
    }
    ++at_;
    --brackets_;
    if (kind == Value::Kind::kTuple && items.size() == 1 && !comma) return items[0];
    return Value::list(std::move(items), kind);
  }

  Value braces(const std::string& path, int depth) {
    ++at_;
    ++brackets_;
    std::vector<Value::Entry> entries;
    std::vector<Value> items;
    std::map<std::string, size_t> seen;
    for (skip_space(); peek() != '}'; skip_space()) {
      const SourceSpan place = here();
      Value key = literal("", depth + 1);
      skip_space();
      if (peek() == ':' && items.empty()) {
        ++at_;
        skip_space();
        add_entry(std::move(key), place, path, depth, entries, seen);
      } else if (entries.empty() && !json_) {
        items.push_back(std::move(key));
      } else {
        fail("expected ':'");
      }
      skip_space();
      if (peek() != ',' && peek() != '}') fail("expected ',' or '}'");
      if (peek() == ',') ++at_;
    }
    ++at_;
    --brackets_;
    return items.empty() ? Value::dict(std::move(entries)) : Value::list(std::move(items), Value::Kind::kSet);
  }

  void add_entry(Value key, const SourceSpan& place, const std::string& path, int depth,
                 std::vector<Value::Entry>& entries, std::map<std::string, size_t>& seen) {
    const std::string key_text = key.repr();
    std::string child =
        path.empty() ? (key.is_string() ? key.as_string() : key_text) : fmt::format("{}[{}]", path, key_text);
    Value value = literal(child, depth + 1).placed(place, child);
    const auto [found, fresh] = seen.emplace(key_text, entries.size());
    if (fresh) {
      entries.emplace_back(key.placed(place, child), std::move(value));
      return;
    }
    Value::Entry& old = entries[found->second];
    if (warnings_) {
      Diagnostic warning;
      warning.span = place;
      warning.path = child;
      warning.message =
          fmt::format("key given twice; line {} is ignored, line {} counts", old.second.span().line, place.line);
      warnings_->push_back(std::move(warning));
    }
    old.second = std::move(value);
  }

  Value number(int sign) {
    const size_t start = at_;
    while (is_name_part(peek()) || peek() == '.' ||
           ((peek() == '+' || peek() == '-') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E') &&
            text_.substr(start, 2) != "0x" && text_.substr(start, 2) != "0X")) {
      ++at_;
    }
    std::string digits;
    for (const char c : text_.substr(start, at_ - start)) {
      if (c != '_') digits += c;
    }
    int base = 10;
    if (digits.size() > 2 && digits[0] == '0' && !is_digit(digits[1])) {
      const char kind = static_cast<char>(digits[1] | 0x20);
      base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 10;
    }
    const char* first = digits.data() + (base == 10 ? 0 : 2);
    const char* last = digits.data() + digits.size();
    int64_t whole = 0;
    const auto [end, error] = std::from_chars(first, last, whole, base);
    if (error == std::errc() && end == last) return Value::of(sign * whole);
    double real = 0;
    const auto [real_end, real_error] = std::from_chars(first, last, real);
    if (base != 10 || real_end != last || real_error == std::errc::invalid_argument) {
      at_ = start;
      fail("expected a number");
    }
    // Out of range is not an error in Python: 1e400 is inf and 1e-400 is 0.
    if (real_error == std::errc::result_out_of_range) real = std::strtod(digits.c_str(), nullptr);
    return Value::of(sign * real);
  }

  /// One or more adjacent string literals.
  std::string string() {
    std::string out;
    while (true) {
      bool raw = false;
      while (is_name_start(peek())) raw |= (text_[at_++] | 0x20) == 'r';
      one_string(out, raw);
      const size_t behind = at_;
      skip_space();
      const bool prefix = (peek() == 'r' || peek() == 'u') && (peek(1) == '"' || peek(1) == '\'');
      if (json_ || (peek() != '"' && peek() != '\'' && !prefix)) {
        at_ = behind;
        return out;
      }
    }
  }

  void one_string(std::string& out, bool raw) {
    const size_t start = at_;
    const char quote = peek();
    const bool triple = peek(1) == quote && peek(2) == quote && !json_;
    at_ += triple ? 3 : 1;
    while (true) {
      const char c = peek();
      if (at_ >= text_.size() || (c == '\n' && !triple)) {
        at_ = start;
        fail("string without end");
      }
      if (c == quote && (!triple || (peek(1) == quote && peek(2) == quote))) {
        at_ += triple ? 3 : 1;
        return;
      }
      ++at_;
      if (c != '\\') {
        out += c;
      } else if (raw) {
        out += c;
        out += peek();
        ++at_;
      } else {
        escape(out);
      }
    }
  }

  unsigned code_point(size_t digits, int base) {
    const std::string_view part = text_.substr(at_, digits);
    unsigned code = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), code, base);
    const auto used = static_cast<size_t>(end - part.data());
    if (error != std::errc() || (base == 16 && used != digits) || code > 0x10ffff) fail("wrong escape in a string");
    at_ += used;
    return code;
  }

  void escape(std::string& out) {
    static constexpr std::string_view kNames = "\\'\"abfnrtv";
    static constexpr std::string_view kBytes = "\\'\"\a\b\f\n\r\t\v";
    const char c = peek();
    if (c >= '0' && c <= '7') return append_utf8(out, code_point(3, 8));
    ++at_;
    if (c == '\n') return;
    if (c == 'x') return append_utf8(out, code_point(2, 16));
    if (c == 'U') return append_utf8(out, code_point(8, 16));
    if (c == 'u') {
      unsigned code = code_point(4, 16);
      if (code >= 0xd800 && code < 0xdc00 && peek() == '\\' && peek(1) == 'u') {
        at_ += 2;
        code = 0x10000 + ((code - 0xd800) << 10) + ((code_point(4, 16) - 0xdc00) & 0x3ff);
      }
      return append_utf8(out, code);
    }
    const size_t index = c == '\0' ? std::string_view::npos : kNames.find(c);
    if (index != std::string_view::npos) {
      out += kBytes[index];
    } else if (json_ && c == '/') {
      out += '/';
    } else {
      out += '\\';
      out += c;
    }
  }

  std::string_view text_;
  std::shared_ptr<const std::string> file_;
  bool json_;
  std::vector<Diagnostic>* warnings_;
  size_t at_ = 0;
  int brackets_ = 0;
  mutable size_t counted_ = 0;  ///< lines up to here are counted in line_
  mutable int line_ = 1;
};

}  // namespace

Value parse_literal(const std::string& text, const std::string& file) {
  return LiteralReader(text, file, false, nullptr).document();
}

Value parse_json_literal(const std::string& text, const std::string& file) {
  return LiteralReader(text, file, true, nullptr).document();
}

Value parse_literal_config(const std::string& text, const std::string& file, std::vector<Diagnostic>& warnings) {
  return LiteralReader(text, file, false, &warnings).config();
}

}  // namespace wende

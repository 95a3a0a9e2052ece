#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "optim/learning_rate_control.h"

namespace wende {
namespace {

constexpr const char* kMeta = ":meta:";

/// As Python's repr(float): the shortest digits that read back, an exponent below 1e-4 and from 1e16 on.
std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  const double size = std::fabs(value);
  const bool exponent = value != 0 && (size < 1e-4 || size >= 1e16);
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                           exponent ? std::chars_format::scientific : std::chars_format::fixed);
  std::string text(buffer, end.ptr);
  if (!exponent && text.find('.') == std::string::npos) text += ".0";
  return text;
}

/// RETURNN's counters under ":meta:" are int, all else is float; the map does not say which.
std::string value_text(const std::string& key, double value) {
  const bool counter = key.starts_with(kMeta) && key.find("learning_rate") == std::string::npos;
  if (counter && std::fabs(value) < 1e15 && value == std::floor(value)) {
    return fmt::format("{}", static_cast<int64_t>(value));
  }
  return float_text(value);
}

std::string string_text(const std::string& text) {
  const bool twice = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = twice ? '"' : '\'';
  std::string result(1, quote);
  for (char letter : text) {
    if (letter == quote || letter == '\\') {
      result += '\\';
      result += letter;
    } else if (letter == '\n') {
      result += "\\n";
    } else if (letter == '\t') {
      result += "\\t";
    } else {
      result += letter;
    }
  }
  return result + quote;
}

/// Reader of the literals that the file may have. It evaluates nothing.
class Reader {
 public:
  Reader(const std::string& text, const std::string& file) : text_(text), file_(std::make_shared<std::string>(file)) {}

  std::map<int, EpochData> read() {
    std::map<int, EpochData> epochs;
    expect('{');
    while (!take('}')) {
      const double epoch = number();
      if (epoch < 1 || epoch > 1e9 || epoch != std::floor(epoch))
        fail(fmt::format("epoch {} is no number from 1 on", epoch));
      expect(':');
      if (!epochs.emplace(static_cast<int>(epoch), epoch_data()).second)
        fail(fmt::format("epoch {} occurs twice", epoch));
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (at_ < text_.size()) fail("text after the end");
    return epochs;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    int line = 1;
    for (size_t i = 0; i < at_ && i < text_.size(); ++i) line += text_[i] == '\n';
    throw Error(ExitStatus::kMalformedInput, "learning-rate file: " + message).at(SourceSpan{file_, line, 0});
  }

  void skip() {
    while (at_ < text_.size() && (std::isspace(static_cast<unsigned char>(text_[at_])) || text_[at_] == '#')) {
      if (text_[at_] == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else {
        ++at_;
      }
    }
  }
  bool take(char letter) {
    skip();
    if (at_ >= text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }
  void expect(char letter) {
    if (take(letter)) return;
    if (at_ >= text_.size()) fail(fmt::format("ends where '{}' should be", letter));
    fail(fmt::format("'{}' expected, not '{}'", letter, text_[at_]));
  }
  std::string word() {
    skip();
    size_t begin = at_;
    auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; };
    while (at_ < text_.size() && part(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  /// A number, nan, inf, or one of these in np.float64(...).
  double number() {
    skip();
    const bool negative = take('-');
    skip();
    if (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_]))) {
      std::string name = word();
      if (name.starts_with("np.") || name.starts_with("numpy.")) name = name.substr(name.find('.') + 1);
      double value = 0;
      if (name == "nan") {
        value = std::numeric_limits<double>::quiet_NaN();
      } else if (name == "inf") {
        value = std::numeric_limits<double>::infinity();
      } else if (name == "float64" || name == "float32") {
        expect('(');
        value = number();
        expect(')');
      } else {
        fail(fmt::format("a number expected, not '{}'", name.substr(0, 40)));
      }
      return negative ? -value : value;
    }
    double value = 0;
    auto result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (result.ec != std::errc()) fail("a number expected");
    at_ = static_cast<size_t>(result.ptr - text_.data());
    if (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) {
      fail("letters after a number");
    }
    return negative ? -value : value;
  }

  bool at_string() {
    skip();
    return at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"');
  }
  std::string string() {
    if (!at_string()) fail("a string expected");
    const char quote = text_[at_++];
    std::string result;
    while (at_ < text_.size() && text_[at_] != quote) {
      char letter = text_[at_++];
      if (letter == '\n') fail("a string does not end in its line");
      if (letter == '\\') {
        if (at_ >= text_.size()) break;
        letter = text_[at_++];
        if (letter == 'n')
          letter = '\n';
        else if (letter == 't')
          letter = '\t';
        else if (letter != '\\' && letter != '\'' && letter != '"')
          fail("unknown escape in a string");
      }
      result += letter;
    }
    if (at_ >= text_.size()) fail("a string does not end");
    ++at_;
    return result;
  }

  void numbers_dict(std::map<std::string, double>& out, const std::string& prefix) {
    expect('{');
    while (!take('}')) {
      const std::string key = prefix + string();
      expect(':');
      if (at_string() && key.starts_with(kMeta)) {
        string();  // newer files name the device and the like; they do not matter here
      } else {
        out[key] = number();
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
  }

  EpochData epoch_data() {
    const std::string name = word();
    if (name != "EpochData") fail(fmt::format("EpochData(...) expected, not '{}'", name.substr(0, 40)));
    EpochData data;
    bool has_rate = false;
    expect('(');
    while (!take(')')) {
      const std::string key = word();
      expect('=');
      if (key == "learningRate" || key == "learning_rate") {
        data.learning_rate = number();
        has_rate = true;
      } else if (key == "error") {
        skip();
        if (at_ < text_.size() && text_[at_] == '{')
          numbers_dict(data.error, "");
        else
          data.error["old_format_score"] = number();
      } else if (key == "meta") {
        numbers_dict(data.error, kMeta);
      } else {
        fail(fmt::format("unknown entry '{}' of EpochData", key.substr(0, 40)));
      }
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    if (!has_rate) fail("EpochData without learningRate");
    return data;
  }

  const std::string& text_;
  std::shared_ptr<const std::string> file_;
  size_t at_ = 0;
};

}  // namespace

std::string LearningRateControl::file_text() const {
  std::string text = "{\n";
  for (const auto& [epoch, data] : epochs_) {
    text += fmt::format("{}: EpochData(learningRate={}, error={{\n", epoch, float_text(data.learning_rate));
    for (const auto& [key, value] : data.error) text += string_text(key) + ": " + value_text(key, value) + ",\n";
    text += "}),\n";
  }
  return text + "}\n";
}

std::map<int, EpochData> LearningRateControl::parse(const std::string& text, const std::string& file) {
  return Reader(text, file).read();
}

}  // namespace wende

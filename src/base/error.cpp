#include "base/error.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/lower_case.h"
#include "base/printable.h"

namespace wende {
namespace {

constexpr size_t kMaxShown = 20;

/// Every line of the text behind an indent.
std::string indented(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += fmt::format("\n{}{}", indent, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// Names come from users' files: in places, line ends are escaped as well, or they would write lines of their own.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), row(b.size() + 1), two_before(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) before[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_before[j - 2] + 1);
      }
    }
    two_before = before;
    before = row;
  }
  return before[b.size()];
}

}  // namespace

std::string SourceSpan::str() const {
  if (!file) return "";
  return line > 0 ? fmt::format("{}:{}", *file, line) : *file;
}

std::string Diagnostic::render() const {
  std::string out;
  if (span.file) out += one_line(span.str()) + ": ";
  if (!path.empty()) out += one_line(path) + ": ";
  out += message;
  const std::string tag = code.empty() ? "" : fmt::format("[WENDE-{}]", code);
  if (!hint.empty()) {
    out += indented(hint, "  ");
    if (!tag.empty()) out += "        " + tag;
  } else if (!tag.empty()) {
    out += "  " + tag;
  }
  for (const std::string& frame : frames) out += indented(frame, "  ");
  return out;
}

Error::Error(ExitStatus status, std::string message) : status_(status) {
  Diagnostic diagnostic;
  diagnostic.message = std::move(message);
  diagnostics_.push_back(std::move(diagnostic));
}

Error::Error(ExitStatus status, Diagnostic diagnostic) : status_(status) {
  diagnostics_.push_back(std::move(diagnostic));
}

Error::Error(ExitStatus status, std::vector<Diagnostic> diagnostics)
    : status_(status), diagnostics_(std::move(diagnostics)) {
  if (diagnostics_.empty()) diagnostics_.emplace_back();
}

Error& Error::at(SourceSpan span, std::string path) {
  Diagnostic& last = diagnostics_.back();
  if (span.file) last.span = std::move(span);
  if (!path.empty()) last.path = std::move(path);
  return *this;
}

Error& Error::hint(std::string text) {
  diagnostics_.back().hint = std::move(text);
  return *this;
}

Error& Error::code(std::string text) {
  diagnostics_.back().code = std::move(text);
  return *this;
}

Error& Error::frame(std::string text) {
  diagnostics_.back().frames.push_back(std::move(text));
  return *this;
}

// Rendered at every call: the text may have been asked for (a debugger, a log) before a frame was added.
const char* Error::what() const noexcept {
  try {
    std::string text;
    for (size_t i = 0; i < diagnostics_.size() && i < kMaxShown; ++i) {
      if (i > 0) text += '\n';
      text += diagnostics_[i].render();
    }
    if (diagnostics_.size() > kMaxShown) text += fmt::format("\n... and {} more", diagnostics_.size() - kMaxShown);
    rendered_ = printable(std::move(text));
    return rendered_.c_str();
  } catch (...) {
    return "out of memory while printing an error";
  }
}

void ErrorCollector::add(const Error& error) {
  if (diagnostics_.empty()) status_ = error.status();
  for (const Diagnostic& diagnostic : error.diagnostics()) {
    // Two checks, or each of a layer's parameters, may find the same mistake.
    const bool known = std::any_of(diagnostics_.begin(), diagnostics_.end(), [&](const Diagnostic& other) {
      return other.span.str() == diagnostic.span.str() && other.path == diagnostic.path &&
             other.message == diagnostic.message;
    });
    if (!known) diagnostics_.push_back(diagnostic);
  }
}

void ErrorCollector::throw_if_any() const {
  if (!diagnostics_.empty()) throw Error(status_, diagnostics_);
}

Error internal_error(std::string message) {
  Error error(ExitStatus::kInternal, "internal error: " + std::move(message));
  error.hint("this is a mistake in Wende, please report it with the config");
  return error;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  const std::string lower = lower_case(word);
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t gap = candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
    if (gap > best_distance) continue;
    const size_t distance = edit_distance(lower, lower_case(candidate));
    // Of two as near, letters in a wrong order are likelier than one too many: 'tahn' is 'tanh', not 'tan'.
    const auto same_letters = [&](const std::string& other) {
      return std::is_permutation(lower.begin(), lower.end(), other.begin(), other.end());
    };
    const bool nearer = distance < best_distance ||
                        (best && distance == best_distance && same_letters(candidate) && !same_letters(*best));
    if (nearer) {
      best_distance = distance;
      best = &candidate;
    }
  }
  // One of two letters replaced is another word, not a slip.
  if (!best || best_distance >= std::max(word.size(), best->size())) return "";
  return fmt::format("did you mean '{}'?", one_line(*best));
}

}  // namespace wende

#pragma once

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wende {

/// Exit statuses of the program (sysexits where they fit); users' batch scripts test them.
enum class ExitStatus : int {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,
  kMalformedInput = 65,
  kMissingInput = 66,
  kInternal = 70,
  kCannotCreate = 73,
  kIo = 74,
  kRunAgain = 75,
  kRanksDisagree = 76,
  kConfig = 78,
  kNonFinite = 80,
  kWatchdog = 81,
  kOutOfMemory = 82,
};

/// A place in a config file; line and column count from 1, 0 = unknown.
struct SourceSpan {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;

  bool known() const { return file != nullptr && line > 0; }
  std::string str() const;  ///< "my.config:14"
};

/// One mistake: where, what, and what was meant.
struct Diagnostic {
  SourceSpan span;
  std::string path;                 ///< key path, "network['fw0']['dropout']"; may be empty
  std::string message;              ///< what is wrong, with the offending value as written
  std::string hint;                 ///< "did you mean 'dropout'?"; may be empty
  std::string code;                 ///< "C104"; may be empty
  std::vector<std::string> frames;  ///< "in layer 'fw1' (class linear)", innermost first

  /// "my.config:14: network['fw0']['drop_out']: unknown option ...\n  did you mean ..."
  std::string render() const;
};

/// The only exception type that Wende throws on purpose. Carries an exit status and one or more diagnostics.
class Error : public std::exception {
 public:
  Error(ExitStatus status, std::string message);
  Error(ExitStatus status, Diagnostic diagnostic);
  Error(ExitStatus status, std::vector<Diagnostic> diagnostics);

  ExitStatus status() const { return status_; }
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

  /// These add to the last diagnostic and return *this, for `throw Error(...).at(span).hint("...")`.
  Error& at(SourceSpan span, std::string path = {});
  Error& hint(std::string text);
  Error& code(std::string text);
  Error& frame(std::string text);

  const char* what() const noexcept override;  ///< all diagnostics, rendered; at most 20

 private:
  ExitStatus status_;
  std::vector<Diagnostic> diagnostics_;
  mutable std::string rendered_;
};

/// Collects the mistakes of one stage, so that users see all of them at once.
class ErrorCollector {
 public:
  /// Runs f; an Error thrown in it is kept. The first status wins.
  template <class F>
  void run(F&& f) {
    try {
      f();
    } catch (const Error& error) {
      add(error);
    }
  }
  void add(const Error& error);
  bool empty() const { return diagnostics_.empty(); }
  void throw_if_any() const;

 private:
  ExitStatus status_ = ExitStatus::kOk;
  std::vector<Diagnostic> diagnostics_;
};

/// Error for a broken invariant of Wende itself (status 70).
Error internal_error(std::string message);

/// "did you mean 'dropout'?" for the closest candidate, or "" if none is near (edit distance <= 1/3 of the length).
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace wende

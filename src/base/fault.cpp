#include "base/fault.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <regex>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/progress.h"

namespace wende {

namespace {

struct Fault {
  std::string kind;
  double value = 0;  ///< of slow, seconds
  int rank = 0;
  int64_t step = -1;  ///< -1: any
  std::string phase;  ///< "": any
  int count = 1;      ///< the n-th time
  std::atomic<int> seen{0};
};

std::vector<std::unique_ptr<Fault>>& faults() {
  static auto* instance = new std::vector<std::unique_ptr<Fault>>;
  return *instance;
}

std::unique_ptr<Fault> parse_fault(const std::string& text) {
  static const std::regex kForm(
      R"((kill|segv|exit|throw|hang|stop|term|usr1|slow|enospc|eio|bitflip)(=(\d+)ms)?@rank(\d+)(:step(\d+))?(:([a-z-]+))?(#(\d+))?)");
  std::smatch match;
  if (!std::regex_match(text, match, kForm)) {
    throw Error(ExitStatus::kUsage, fmt::format("WENDE_FAULT: cannot read '{}'", text))
        .hint("the form is kind[=50ms]@rankR[:stepS][:phase][#n]");
  }
  auto fault = std::make_unique<Fault>();
  fault->kind = match[1].str();
  fault->value = match[3].matched ? std::stod(match[3].str()) / 1000 : 0.05;
  fault->rank = std::stoi(match[4].str());
  fault->step = match[6].matched ? std::stoll(match[6].str()) : -1;
  fault->phase = match[8].str();
  fault->count = match[10].matched ? std::stoi(match[10].str()) : 1;
  return fault;
}

/// Rank, step and phase fit, and it is the n-th time (always true for `slow`).
bool strikes(Fault& fault, const char* phase) {
  if (fault.rank != progress().rank.load() || (!fault.phase.empty() && fault.phase != phase)) {
    return false;
  }
  if (fault.kind == "slow") {
    return fault.step <= progress().step.load();
  }
  if (fault.step >= 0 && fault.step != progress().step.load()) {
    return false;
  }
  return ++fault.seen == fault.count;
}

bool is_file_fault(const Fault& fault) { return fault.kind == "enospc" || fault.kind == "eio"; }

void tell(const Fault& fault, const char* phase) {
  fmt::print(stderr, "fault: {} at {}, rank {} step {}\n", fault.kind, phase, fault.rank, progress().step.load());
}

void strike(const Fault& fault, const char* phase) {
  if (fault.kind == "slow") {
    std::this_thread::sleep_for(std::chrono::duration<double>(fault.value));
    return;
  }
  tell(fault, phase);
  if (fault.kind == "kill") {
    ::kill(::getpid(), SIGKILL);
  } else if (fault.kind == "segv") {
    std::signal(SIGSEGV, SIG_DFL);
    ::raise(SIGSEGV);
  } else if (fault.kind == "exit") {
    ::_exit(3);
  } else if (fault.kind == "throw") {
    throw Error(ExitStatus::kInternal, fmt::format("fault on purpose at {}", phase));
  } else if (fault.kind == "hang") {
    while (true) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  } else if (fault.kind == "stop") {
    ::raise(SIGSTOP);
  } else if (fault.kind == "term") {
    ::raise(SIGTERM);
  } else if (fault.kind == "usr1") {
    ::raise(SIGUSR1);
  }
}

}  // namespace

void read_faults_from_environment() {
  const char* text = std::getenv("WENDE_FAULT");
  if (text == nullptr || *text == '\0') {
    return;
  }
  const char* allowed = std::getenv("WENDE_ALLOW_FAULTS");
  if (allowed == nullptr || std::strcmp(allowed, "1") != 0) {
    throw Error(ExitStatus::kUsage, "WENDE_FAULT is set, which makes this run fail on purpose")
        .hint("unset it; in a test of faults set WENDE_ALLOW_FAULTS=1 as well");
  }
  const std::string all = text;
  for (size_t at = 0; at <= all.size();) {
    const size_t end = std::min(all.find(',', at), all.size());
    faults().push_back(parse_fault(all.substr(at, end - at)));
    at = end + 1;
  }
  fault_detail::armed = true;
}

namespace fault_detail {

void reach(const char* phase) {
  for (const auto& fault : faults()) {
    if (fault->kind != "bitflip" && !is_file_fault(*fault) && strikes(*fault, phase)) {
      strike(*fault, phase);
    }
  }
}

int error_at(const char* phase) {
  reach(phase);
  for (const auto& fault : faults()) {
    if (is_file_fault(*fault) && strikes(*fault, phase)) {
      tell(*fault, phase);
      return fault->kind == "enospc" ? ENOSPC : EIO;
    }
  }
  return 0;
}

bool due(const char* kind, const char* phase) {
  for (const auto& fault : faults()) {
    if (fault->kind == kind && strikes(*fault, phase)) {
      return true;
    }
  }
  return false;
}

}  // namespace fault_detail

}  // namespace wende

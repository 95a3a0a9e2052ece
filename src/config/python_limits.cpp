#include "config/python_limits.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "base/memory_use.h"

namespace wende::python {

namespace {

constexpr double kGib = 1024.0 * 1024 * 1024;
/// Libraries that a config imports reserve much address space that they never touch: 32 MB per core for NumPy's BLAS.
constexpr double kReservedGib = 16;
constexpr auto kLookEvery = std::chrono::milliseconds(20);

double from_environment(const char* name, double fallback, double least) {
  const char* text = std::getenv(name);
  return text ? std::max(least, std::atof(text)) : fallback;
}

}  // namespace

EvaluationLimits::EvaluationLimits()
    : thread_id_(PyThread_get_thread_ident()),
      seconds_(from_environment("WENDE_CONFIG_SECONDS", 60, 0.01)),
      gib_(from_environment("WENDE_CONFIG_GIB", 2, 0.01)) {
  const Ref limits(PyObject_CallFunction(helper("set_limits"), "dd", seconds_, gib_));
  PyErr_Clear();
  if (getrlimit(RLIMIT_AS, &address_space_) == 0) {
    rlimit lowered = address_space_;
    const double most = memory_use().address_space + (gib_ + kReservedGib) * kGib;
    lowered.rlim_cur = std::min(lowered.rlim_cur, static_cast<rlim_t>(most));
    setrlimit(RLIMIT_AS, &lowered);
  }
  watcher_ = std::thread([this] { watch(); });
}

EvaluationLimits::~EvaluationLimits() {
  setrlimit(RLIMIT_AS, &address_space_);
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  changed_.notify_one();
  Py_BEGIN_ALLOW_THREADS;  // the watcher may be waiting for the interpreter lock
  watcher_.join();
  Py_END_ALLOW_THREADS;
}

void EvaluationLimits::watch() {
  const auto start = std::chrono::steady_clock::now();
  const double before = memory_use().resident;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLookEvery, [this] { return done_; })) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    const bool too_large = memory_use().resident - before > gib_ * kGib;
    if (!too_large && passed.count() < seconds_) continue;
    lock.unlock();
    return stop(too_large ? "MemoryLimit" : "TimeLimit");
  }
}

void EvaluationLimits::stop(const char* which) {
  const Lock python;
  const std::lock_guard again(mutex_);
  if (!done_) PyThreadState_SetAsyncExc(thread_id_, helper(which));
}

}  // namespace wende::python

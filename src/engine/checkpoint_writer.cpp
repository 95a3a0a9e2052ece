#include "engine/checkpoint_writer.h"

#include <pthread.h>

#include <csignal>
#include <utility>

#include "base/clock.h"
#include "base/trace.h"

namespace wende {

CheckpointWriter::~CheckpointWriter() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void CheckpointWriter::start(std::string path, Checkpoint checkpoint, std::function<void()> then) {
  wait();
  busy_ = true;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals belong to the training thread
  thread_ = std::thread([this, path = std::move(path), checkpoint = std::move(checkpoint), then = std::move(then)] {
    const double start = monotonic_seconds();
    try {
      save_checkpoint(path, checkpoint);
      if (then) {
        then();
      }
    } catch (...) {
      error_ = std::current_exception();
    }
    last_seconds_ = monotonic_seconds() - start;
    trace_span(TraceRow::kBackground, "write checkpoint", start, monotonic_seconds(), path.c_str());
    busy_ = false;
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void CheckpointWriter::wait() {
  if (thread_.joinable()) {
    thread_.join();
  }
  if (error_) {
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
}

void CheckpointWriter::check() {
  if (!busy_ && thread_.joinable()) {
    wait();
  }
}

}  // namespace wende

#include "collective/watchdog.h"

#include <fmt/core.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/stack_dump.h"
#include "collective/hang_rules.h"
#include "collective/peer_link.h"

namespace wende {

namespace {

/// How long the launcher has to end the others after a rank died, before the others end themselves.
constexpr double kLauncherSeconds = 3;
/// How long the ranks have to write their stacks before all end.
constexpr double kStackSeconds = 0.5;

template <size_t N>
void put_text(std::array<char, N>& target, const char* text) {
  std::strncpy(target.data(), text == nullptr ? "" : text, N - 1);
}

PeerMessage board_message() {
  const Progress& board = progress();
  PeerMessage message;
  const Phase& phase = *board.phase.load();
  message.phase_kind = static_cast<int32_t>(phase.kind);
  message.epoch = board.epoch.load();
  message.step = board.step.load();
  put_text(message.phase, phase.name);
  put_text(message.layer, board.layer.load());
  put_text(message.operation, board.operation.load());
  return message;
}

}  // namespace

class Watchdog::Impl {
 public:
  Impl(Communicator& communicator, Options options)
      : options_(std::move(options)),
        link_(communicator),
        rank_(communicator.rank()),
        size_(communicator.size()),
        views_(static_cast<size_t>(rank_ == 0 ? size_ : 1)),
        heard_(views_.size(), monotonic_seconds()),
        wrote_stack_(views_.size()) {
    for (RankView& view : views_) {
      view.rank = static_cast<int>(&view - views_.data());
      view.known = false;
    }
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals belong to the training thread
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  ~Impl() {
    leaving_ = true;
    thread_.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

 private:
  void run() {
    double next = 0;
    last_change_ = root_heard_ = monotonic_seconds();
    while (!leaving_) {
      listen(50);
      if (!link_.connected()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
      watch_own_board();
      leave_if_alone();
      if (const double now = monotonic_seconds(); now >= next) {
        next = now + interval_;
        report();
        judge();
      }
    }
    PeerMessage bye;
    bye.what = PeerMessage::What::kBye;
    link_.send(bye);
  }

  void listen(int milliseconds) {
    link_.poll(
        milliseconds, [this](const PeerMessage& message) { receive(message); }, [this](int rank) { lose(rank); });
  }

  void watch_own_board() {
    const uint64_t changes = progress().changes.load();
    if (changes != changes_) {
      changes_ = changes;
      last_change_ = monotonic_seconds();
    }
  }

  /// This rank's board to rank 0; rank 0's sign of life to all.
  void report() {
    PeerMessage message = board_message();
    message.age = monotonic_seconds() - last_change_;
    message.rank = rank_;
    if (rank_ == 0) {
      receive(message);
      message.what = PeerMessage::What::kAlive;
    } else if (size_ > 1 && !link_.connected()) {
      receive(message);  // nobody else looks after this rank
    }
    link_.send(message);
  }

  void receive(const PeerMessage& message) {
    switch (message.what) {
      case PeerMessage::What::kState: {
        const size_t index = rank_ == 0 ? static_cast<size_t>(message.rank) : 0;
        if (index >= views_.size()) {
          return;
        }
        views_[index] = {.rank = message.rank,
                         .known = true,
                         .kind = static_cast<PhaseKind>(message.phase_kind),
                         .epoch = message.epoch,
                         .step = message.step,
                         .age = message.age,
                         .silent = 0,
                         .phase = message.phase.data(),
                         .layer = message.layer.data(),
                         .operation = message.operation.data()};
        heard_[index] = monotonic_seconds();
        break;
      }
      case PeerMessage::What::kAlive:
        root_heard_ = monotonic_seconds();
        break;
      case PeerMessage::What::kWriteStacks: {
        write_stack();
        PeerMessage answer;
        answer.what = PeerMessage::What::kWroteStack;
        link_.send(answer);
        break;
      }
      case PeerMessage::What::kWroteStack:
        if (const auto index = static_cast<size_t>(message.rank); index < wrote_stack_.size()) {
          wrote_stack_[index] = true;
        }
        break;
      case PeerMessage::What::kStop:
        std::_Exit(static_cast<int>(ExitStatus::kWatchdog));
      case PeerMessage::What::kBye:
        if (rank_ == 0) {
          views_[static_cast<size_t>(message.rank)].kind = PhaseKind::kOver;
        } else {
          root_heard_ = HUGE_VAL;
        }
        break;
    }
  }

  void lose(int rank) {
    if (lost_rank_ < 0) {
      lost_rank_ = rank;
      lost_at_ = monotonic_seconds();
    }
  }

  /// After a crash the launcher sends SIGTERM to the rest: no checkpoint can be agreed on then, so this rank just goes.
  void leave_if_alone() {
    if (lost_rank_ < 0) {
      return;
    }
    if (options_.terminated != nullptr && options_.terminated()) {
      std::_Exit(128 + SIGTERM);
    }
    if (monotonic_seconds() - lost_at_ > kLauncherSeconds) {
      fmt::print(stderr, "rank {}: rank {} has died; this rank ends too\n", rank_, lost_rank_);
      std::fflush(nullptr);
      std::_Exit(static_cast<int>(ExitStatus::kFailure));
    }
  }

  void judge() {
    if (options_.limit <= 0) {
      return;
    }
    const double now = monotonic_seconds();
    if (rank_ > 0 && link_.connected()) {
      // Rank 0 judges; if it cannot any more, rank 1 speaks first.
      const double patience = options_.limit + (rank_ == 1 ? 0.2 : 0.4);
      if (now - root_heard_ > patience) {
        end(fmt::format("rank 0 gives no sign of life for {:.1f} s (stopped, or its host is gone)", now - root_heard_),
            rank_ == 1);
      }
      return;
    }
    for (size_t i = 0; i < views_.size(); ++i) {
      const bool over = views_[i].kind == PhaseKind::kOver || !views_[i].known;
      views_[i].silent = over ? 0 : now - heard_[i];
    }
    // Ages are as old as the last message; but what has not come in time is no standstill.
    std::vector<RankView> present = views_;
    for (RankView& view : present) {
      view.age += std::min(view.silent, interval_);
    }
    if (const Hang hang = find_hang(present, options_.limit, 10 * options_.limit); hang.found) {
      end(hang.message, true);
    }
    warn();
  }

  /// Early word of what may become a hang, once.
  void warn() {
    const double threshold = std::max(30.0, options_.limit / 10);
    if (warned_ || options_.limit <= threshold) {
      return;
    }
    if (const Hang hang = find_hang(views_, threshold, 10 * options_.limit); hang.found) {
      warned_ = true;
      fmt::print(stderr, "warning: no progress for {:.0f} s; the run ends after {:.0f} s (watchdog_timeout)\n{}\n",
                 threshold, options_.limit, hang.message);
      std::fflush(stderr);
    }
  }

  void write_stack() const {
    if (options_.folder.empty()) {
      ::kill(::getpid(), SIGUSR2);
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      return;
    }
    std::error_code ignored;
    std::filesystem::create_directories(options_.folder, ignored);
    write_stack_to(fmt::format("{}/rank{:03}.txt", options_.folder, rank_), kStackSeconds);
  }

  /// Until every rank that can answer has written its stack.
  void await_stacks() {
    const double until = monotonic_seconds() + kStackSeconds + 0.2;
    const auto missing = [this](const RankView& view) {
      const bool can_answer = view.known && view.kind != PhaseKind::kOver && view.silent <= options_.limit;
      return can_answer && view.rank != rank_ && !wrote_stack_[static_cast<size_t>(view.rank)];
    };
    while (link_.connected() && std::any_of(views_.begin(), views_.end(), missing) && monotonic_seconds() < until) {
      listen(10);
    }
  }

  [[noreturn]] void end(const std::string& message, bool speak) {
    PeerMessage order;
    order.what = PeerMessage::What::kWriteStacks;
    if (rank_ == 0) {
      link_.send(order);
    }
    write_stack();
    if (speak) {
      fmt::print(stderr, "watchdog: no progress for {:.1f} s (watchdog_timeout)\n{}\n", options_.limit, message);
      if (!options_.folder.empty()) {
        fmt::print(stderr, "stacks of all ranks: {}/\n", options_.folder);
      }
      std::fflush(stderr);
    }
    if (rank_ == 0) {
      await_stacks();
      order.what = PeerMessage::What::kStop;
      link_.send(order);
    }
    std::_Exit(static_cast<int>(ExitStatus::kWatchdog));
  }

  Options options_;
  PeerLink link_;
  int rank_;
  int size_;
  std::vector<RankView> views_;  ///< rank 0: of all ranks; else of this one
  std::vector<double> heard_;
  std::vector<bool> wrote_stack_;
  /// Seconds between two reports.
  const double interval_ = options_.limit > 0 ? std::clamp(options_.limit / 20, 0.05, 1.0) : 1.0;
  uint64_t changes_ = 0;
  double last_change_ = 0;
  double root_heard_ = 0;
  double lost_at_ = 0;
  int lost_rank_ = -1;
  bool warned_ = false;
  std::atomic<bool> leaving_{false};
  std::thread thread_;
};

Watchdog::Watchdog(Communicator& communicator, Options options)
    : impl_(std::make_unique<Impl>(communicator, std::move(options))) {}
Watchdog::~Watchdog() = default;

}  // namespace wende

#include "collective/watchdog.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "base/progress.h"
#include "base/stack_dump.h"
#include "collective/peer_link.h"

namespace wende {
namespace {

/// What rank 0 told last: where it listens.
std::string address_of_root;

/// Two processes of this host. Only what the watchdog needs of them: rank 0 tells a text by a pipe.
class Pair final : public Communicator {
 public:
  Pair(int rank, const std::array<int, 2>& pipe) : rank_(rank), pipe_(pipe) {}
  int rank() const override { return rank_; }
  int size() const override { return 2; }
  void all_sum(float*, size_t) override {}
  void all_sum(double*, size_t) override {}
  void all_max(int64_t*, size_t) override {}
  std::unique_ptr<PendingSum> start_all_sum(float*, size_t) override { return nullptr; }
  void broadcast(void* data, size_t bytes, int) override {
    const ssize_t done = rank_ == 0 ? ::write(pipe_[1], data, bytes) : ::read(pipe_[0], data, bytes);
    if (done != static_cast<ssize_t>(bytes)) std::_Exit(1);
    address_of_root.assign(static_cast<const char*>(data), bytes);
  }
  std::vector<std::string> gather(const std::string&) override { return {}; }
  void barrier() override {}
  [[noreturn]] void abort(int status, const std::string&) override { std::_Exit(status); }
  std::string host_name() const override { return "here"; }
  std::string description() const override { return "a pair"; }

 private:
  int rank_;
  std::array<int, 2> pipe_;
};

constexpr Phase kWaiting{"allreduce", PhaseKind::kWait};

void work(double seconds) {
  for (const double end = monotonic_seconds() + seconds; monotonic_seconds() < end;) {
    const PhaseScope phase(phases::kCompute);
    progress().step.fetch_add(1);
    progress().running("lstm", "gemm");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const PhaseScope waiting(kWaiting);
  }
}

/// What one rank does; its process ends with the result.
using Rank = void (*)(int rank, const std::string& folder);

std::array<int, 2> statuses(const std::string& folder, double limit, Rank rank_work) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe(pipe.data()), 0);
  std::array<pid_t, 2> children{};
  for (int rank = 0; rank < 2; ++rank) {
    const pid_t child = ::fork();
    if (child == 0) {
      install_stack_handler();
      progress().rank = rank;
      Pair pair(rank, pipe);
      {
        const Watchdog watchdog(pair, {.limit = limit, .folder = folder});
        rank_work(rank, folder);
        const PhaseScope over(phases::kOver);
      }
      std::_Exit(0);
    }
    children[static_cast<size_t>(rank)] = child;
  }
  std::array<int, 2> result{};
  for (size_t rank = 0; rank < 2; ++rank) {
    int status = 0;
    ::waitpid(children[rank], &status, 0);
    result[rank] = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  ::close(pipe[0]);
  ::close(pipe[1]);
  return result;
}

std::string scratch(const std::string& name) {
  return fmt::format("{}/wende_watchdog_{}_{}", testing::TempDir(), ::getpid(), name);
}

TEST(Watchdog, LetsRanksWorkThatWork) {
  const auto ends = statuses("", 20, [](int, const std::string&) { work(0.7); });
  EXPECT_EQ(ends, (std::array<int, 2>{0, 0}));
}

TEST(Watchdog, EndsAHangWithTheStacksOfAllRanks) {
  const std::string folder = scratch("hang");
  const double start = monotonic_seconds();
  const auto ends = statuses(folder, 1, [](int rank, const std::string&) {
    work(0.2);
    const PhaseScope phase(rank == 1 ? phases::kCompute : kWaiting);
    for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
  });
  EXPECT_EQ(ends, (std::array<int, 2>{81, 81}));
  EXPECT_GT(monotonic_seconds() - start, 1);
  for (int rank = 0; rank < 2; ++rank) {
    std::ifstream file(fmt::format("{}/rank{:03}.txt", folder, rank));
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_NE(text.find(fmt::format("rank {}: epoch 0 step", rank)), std::string::npos) << text;
    EXPECT_NE(text.find("threads_test"), std::string::npos) << text;
  }
  std::filesystem::remove_all(folder);
}

/// Rank 1 in place of a watchdog: sends one message to rank 0, with the run's token or without.
void send_message(int rank, uint16_t version, bool with_token) {
  if (rank == 0) return work(1);
  std::istringstream words(address_of_root.substr(address_of_root.find('\n') + 1));
  PeerMessage message;
  int port = 0;
  words >> message.token >> port;
  message.version = version;
  message.rank = 1;
  message.token += with_token ? 0 : 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) std::_Exit(1);
  if (::send(fd, &message, sizeof(message), 0) != sizeof(message)) std::_Exit(1);
  ::close(fd);
}

TEST(Watchdog, RefusesMessagesOfAnotherVersion) {
  const auto ends = statuses("", 20, [](int rank, const std::string&) { send_message(rank, 99, true); });
  EXPECT_EQ(ends, (std::array<int, 2>{76, 0}));
}

TEST(Watchdog, TakesNoNoticeOfStrangers) {
  const auto ends = statuses("", 20, [](int rank, const std::string&) { send_message(rank, 99, false); });
  EXPECT_EQ(ends, (std::array<int, 2>{0, 0}));
}

TEST(Watchdog, PrintsStacksOnDemandAndGoesOn) {
  const auto ends = statuses("", 20, [](int, const std::string&) {
    for (int i = 0; i < 20; ++i) {
      work(0.01);
      ::kill(::getpid(), SIGUSR2);
    }
  });
  EXPECT_EQ(ends, (std::array<int, 2>{0, 0}));
}

}  // namespace
}  // namespace wende

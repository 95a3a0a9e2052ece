#include "io/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace wende {
namespace {

class FileLockTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("wende_lock_" + std::to_string(getpid()));
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  /// A process that holds the lock until it is killed.
  pid_t holder() const {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const FileLock lock(path_);
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      ::pause();
      ::_exit(0);
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    return child;
  }
  static void end(pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }

  std::string path_;
};

TEST_F(FileLockTest, RefusesAndNamesTheHolder) {
  const pid_t child = holder();
  try {
    const FileLock second(path_, 0.1);
    ADD_FAILURE() << "two holders";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kCannotCreate);
    EXPECT_NE(std::string(error.what()).find("process " + std::to_string(child)), std::string::npos) << error.what();
  }
  std::string text;
  EXPECT_TRUE(FileLock::is_held(path_, &text));
  EXPECT_NE(text.find("process " + std::to_string(child)), std::string::npos) << text;
  end(child);
  EXPECT_FALSE(FileLock::is_held(path_)) << "a killed holder keeps nothing";
  const FileLock third(path_, 0);
}

TEST_F(FileLockTest, WaitsForAHolderThatDies) {
  const pid_t child = holder();
  const pid_t killer = ::fork();
  if (killer == 0) {
    ::usleep(200000);
    ::kill(child, SIGKILL);
    ::_exit(0);
  }
  const double start = monotonic_seconds();
  const FileLock lock(path_, 30);
  EXPECT_LT(monotonic_seconds() - start, 20);
  ::waitpid(killer, nullptr, 0);
  ::waitpid(child, nullptr, 0);
}

/// A descriptor left in a child would hold the lock after its owner has gone.
TEST_F(FileLockTest, ChildProgramsDoNotInheritIt) {
  auto lock = std::make_unique<FileLock>(path_);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("sleep", "sleep", "30", nullptr);
    ::_exit(1);
  }
  ::usleep(200000);
  lock.reset();
  EXPECT_FALSE(FileLock::is_held(path_));
  end(child);
}

/// A child that holds a HeartbeatLock until it is killed.
pid_t beating(const std::string& path, const HeartbeatLock::Times& times) {
  const pid_t child = ::fork();
  if (child == 0) {
    const HeartbeatLock lock(path, "the first", times);
    ::pause();
    ::_exit(0);
  }
  for (int i = 0; i < 1000 && !HeartbeatLock::is_held(path, times); ++i) ::usleep(10000);
  return child;
}

/// The file of a process that cannot be asked whether it lives: of another host.
void write_foreign_holder(const std::string& path) { std::ofstream(path) << "the other host\nelsewhere pid:[1] 1"; }

TEST_F(FileLockTest, HeartbeatRefusesALivingProcessOfThisHostAndFollowsADeadOne) {
  const HeartbeatLock::Times times = {0.1, 0.05, 300};
  const pid_t child = beating(path_, times);
  try {
    const HeartbeatLock second(path_, "the second", times);
    ADD_FAILURE() << "two holders";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kCannotCreate);
    EXPECT_NE(std::string(error.what()).find("another run writes this model: the first"), std::string::npos);
  }
  end(child);
  EXPECT_FALSE(HeartbeatLock::is_held(path_, times));
  {
    const HeartbeatLock third(path_, "the third", times);
    std::string text;
    EXPECT_TRUE(HeartbeatLock::is_held(path_, times, &text));
    EXPECT_EQ(text, "the third");
  }
  EXPECT_FALSE(std::filesystem::exists(path_)) << "it goes with its holder";
}

TEST_F(FileLockTest, HeartbeatRefusesAHostThatShowsLife) {
  write_foreign_holder(path_);
  const pid_t other = ::fork();
  if (other == 0) {
    for (;; ::usleep(50000)) ::utimensat(AT_FDCWD, path_.c_str(), nullptr, 0);
  }
  EXPECT_THROW(HeartbeatLock(path_, "mine", {0, 10, 300}), Error);
  end(other);
}

TEST_F(FileLockTest, HeartbeatFollowsAHostWithoutSignOfLife) {
  write_foreign_holder(path_);
  EXPECT_TRUE(HeartbeatLock::is_held(path_, {}));
  const double start = monotonic_seconds();
  const HeartbeatLock lock(path_, "mine", {0, 10, 1.5});
  EXPECT_GT(monotonic_seconds() - start, 1) << "taken from a host that may have been alive";
  // 301 s since the last sign: no wait.
  const std::string old = path_ + "-old";
  write_foreign_holder(old);
  const timespec times[2] = {{std::time(nullptr) - 301, 0}, {std::time(nullptr) - 301, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, old.c_str(), times, 0), 0);
  EXPECT_FALSE(HeartbeatLock::is_held(old, {}));
  { const HeartbeatLock after(old, "mine", {}); }
  EXPECT_FALSE(std::filesystem::exists(old));
}

/// Many find the same stale file at the same moment: one of them gets it.
TEST_F(FileLockTest, HeartbeatHasOneHeir) {
  write_foreign_holder(path_);
  const timespec times[2] = {{std::time(nullptr) - 301, 0}, {std::time(nullptr) - 301, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) {
      try {
        const HeartbeatLock lock(path_, std::to_string(::getpid()), {0.1, 0.1, 300});
        ::sleep(4);
        ::_exit(0);
      } catch (const Error&) {
        ::_exit(1);
      }
    }
  }
  int heirs = 0;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    heirs += status == 0 ? 1 : 0;
  }
  EXPECT_EQ(heirs, 1);
}

TEST_F(FileLockTest, NeedsAFolderThatCanBeWritten) {
  EXPECT_FALSE(FileLock::is_held("/nowhere/at/all"));
  EXPECT_THROW(FileLock("/nowhere/at/all"), Error);
}

}  // namespace
}  // namespace wende

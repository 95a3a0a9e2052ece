#include "io/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

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

TEST_F(FileLockTest, NeedsAFolderThatCanBeWritten) {
  EXPECT_FALSE(FileLock::is_held("/nowhere/at/all"));
  EXPECT_THROW(FileLock("/nowhere/at/all"), Error);
}

}  // namespace
}  // namespace wende

#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace wende {

/// A folder for the files of this process's tests, removed with all that is in it when the process ends.
class TestFolder {
 public:
  TestFolder() : path_(std::filesystem::temp_directory_path() / ("wende_test_" + std::to_string(owner_))) {
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    if (::getpid() == owner_) std::filesystem::remove_all(path_, ignored);  // not by a child that a test forked
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  pid_t owner_ = ::getpid();
  std::filesystem::path path_;
};

/// The path of a file there; nothing is made.
inline std::string test_path(const std::string& name) {
  static const TestFolder folder;
  return (folder.path() / name).string();
}

}  // namespace wende

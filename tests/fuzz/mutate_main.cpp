#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr unsigned kMostSeconds = 20;

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::ifstream input(path, std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>());
  }
  return files;
}

/// One to eight bytes become others; one file in ten is cut.
std::string mutated(std::string bytes, std::mt19937& random) {
  for (unsigned i = 1 + random() % 8; i > 0 && !bytes.empty(); --i) {
    char& byte = bytes[random() % bytes.size()];
    byte = random() % 2 == 0 ? static_cast<char>(random()) : static_cast<char>(byte ^ (1 << random() % 8));
  }
  if (random() % 10 == 0) bytes.resize(random() % (bytes.size() + 1));
  return bytes;
}

/// How a process ends that reads these bytes: 0 read or refused; else a signal or a sanitizer's status.
int status_of_reading(const std::string& bytes) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kMostSeconds);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

/// mutate FOLDER COUNT [SEED]: a fuzz target on changed copies of files, each in a process of its own.
int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::vector<std::string> files = files_in(argv[1]);
  const int count = std::atoi(argv[2]);
  std::mt19937 random(argc > 3 ? static_cast<unsigned>(std::atoi(argv[3])) : 1);
  int bad = 0;
  for (int i = 0; i < count && !files.empty(); ++i) {
    const std::string bytes = mutated(files[static_cast<size_t>(i) % files.size()], random);
    const int status = status_of_reading(bytes);
    if (status == 0) continue;
    const std::string name = fmt::format("mutated-{}-{}", std::filesystem::path(argv[1]).filename().string(), i);
    std::ofstream(name, std::ios::binary) << bytes;
    fmt::print("{}: {}{}\n", name, WIFSIGNALED(status) ? "signal " : "status ",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    ++bad;
  }
  fmt::print("{} of {} mutated files crashed or hung\n", bad, count);
  return bad == 0 && !files.empty() ? 0 : 1;
}

// Each planted fault runs in a child process of its own: some end it.
#include "planted_faults.h"

#include <cuda_runtime.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "cudasim.h"

namespace wende::faults {
namespace {

/// Kinds of findings, as "cudasim: KIND: ..." on the child's stderr.
std::set<std::string> kinds_in(const std::string& text) {
  std::set<std::string> kinds;
  const std::string mark = "cudasim: ";
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const size_t begin = at + mark.size();
    kinds.insert(text.substr(begin, text.find(':', begin) - begin));
  }
  return kinds;
}

std::string stderr_of_child(const Fault& fault) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    fault.run();
    cudaDeviceSynchronize();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof(buffer))) > 0;) text.append(buffer, static_cast<size_t>(n));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return text;
}

class PlantedFault : public testing::TestWithParam<Fault> {};

TEST_P(PlantedFault, IsFound) {
  const std::string text = stderr_of_child(GetParam());
  const std::set<std::string> kinds = kinds_in(text);
  if (GetParam().kind.empty()) {
    EXPECT_TRUE(kinds.empty()) << text;
  } else {
    const bool found = std::any_of(kinds.begin(), kinds.end(), [](const std::string& kind) {
      return GetParam().kind.find(kind) != std::string::npos;
    });
    EXPECT_TRUE(found) << "expected " << GetParam().kind << ", got:\n" << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Emulation, PlantedFault, testing::ValuesIn(all()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace wende::faults

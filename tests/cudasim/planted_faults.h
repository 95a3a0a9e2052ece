#pragma once

#include <functional>
#include <string>
#include <vector>

namespace wende::faults {

struct Fault {
  std::string name;
  std::string
      kind;  ///< what the emulation must report (one of several kinds: "a or b"); empty: nothing, the program is right
  std::function<void()> run;
};

const std::vector<Fault>& all();

}  // namespace wende::faults

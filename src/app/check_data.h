#pragma once

#include <string>
#include <vector>

namespace wende {

/// `wende check-data FILE...`: reads corpora whole and says what is in them; the first damaged one ends it (65).
int check_data(const std::vector<std::string>& paths);
/// The process that reads (`--here`): with limits of memory and processor time. `samples`: not everything.
int check_data_here(const std::vector<std::string>& paths, bool samples);
/// Before a training opens its files: libhdf5 may crash on damaged ones, or never end, and shall not take the run
/// along. Throws what is wrong (65). Where no process can be started, the training does without.
void check_files_of_training(const std::vector<std::string>& paths);

}  // namespace wende

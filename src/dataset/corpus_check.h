#pragma once

#include <string>
#include <vector>

namespace wende {

/// Reads a corpus file: its structure and some of its numbers (of small arrays all), or everything and every value.
/// Throws as a training would (65). libhdf5 may crash on damaged bytes, or never end: for a process of its own.
void read_corpus_file(const std::string& path, bool everything);

/// Looks at files before a training opens them; throws (65) if one is damaged.
using CorpusCheck = void (*)(const std::vector<std::string>& paths);
/// There is none at first: only the program has a process to spare.
void set_corpus_check(CorpusCheck check);
void check_corpus_files(const std::vector<std::string>& paths);

}  // namespace wende

#include "dataset/corpus_check.h"

#include <fmt/core.h>

#include "dataset/hdf_corpus_file.h"

namespace wende {

namespace {

CorpusCheck& installed() {
  static CorpusCheck check = nullptr;
  return check;
}

}  // namespace

void read_corpus_file(const std::string& path, bool everything) {
  HdfCorpusFile file(path);
  if (!everything) return file.read_samples();
  for (int64_t sequence = 0; sequence < file.sequence_count(); ++sequence) {
    for (const auto& [key, stream] : file.streams()) file.load(sequence, key);
  }
}

void set_corpus_check(CorpusCheck check) { installed() = check; }

void check_corpus_files(const std::vector<std::string>& paths) {
  if (installed() != nullptr) installed()(paths);
}

}  // namespace wende

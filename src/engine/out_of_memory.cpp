#include "engine/out_of_memory.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

namespace wende {

Error with_memory_use(Error error, const Executor& executor, const Batch& batch) {
  if (error.status() != ExitStatus::kOutOfMemory) {
    return error;
  }
  constexpr size_t kValues = 10;
  constexpr size_t kLengths = 50;
  error.frame(fmt::format("a step needs {:.1f} MB for its values, the largest:\n{}",
                          static_cast<double>(executor.arena_bytes()) * 1e-6, executor.memory_text(kValues)));
  for (const auto& [key, lengths] : batch.lengths) {
    const size_t shown = std::min(lengths.size(), kLengths);
    error.frame(fmt::format("'{}' of the batch: {} sequences of lengths {}{}", key, lengths.size(),
                            fmt::join(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(shown), " "),
                            shown < lengths.size() ? " ..." : ""));
  }
  error.hint("a smaller batch_size, max_seqs or max_seq_length needs less");
  return error;
}

}  // namespace wende

#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace wende {

/// Copies of batches to the GPU beside its work: through pinned memory, on a stream of their own. There are two slots,
/// so that one batch is copied while another one is used. No copies in builds without CUDA.
class StagedCopies {
 public:
  StagedCopies();
  ~StagedCopies();

  struct Staged {
    int slot = -1;
    std::vector<std::byte*> addresses;  ///< on the GPU, of the pieces; until the next but one start()
  };
  /// Has read the pieces (address and size on the host) on return; the copies go on.
  Staged start(const std::vector<std::pair<const std::byte*, size_t>>& pieces);
  /// What is launched from now on finds the slot's batch in its place.
  void use(int slot);
  /// What was launched until now is all that reads the slot's batch.
  void used(int slot);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wende

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

/// For the CUDA backend only.
namespace wende::cuda {

bool environment_flag(const char* name);

/// Freed blocks stay for later requests of the same rounded size. All work is on one stream, so a block may be used
/// again as soon as it was freed. Large blocks, whose sizes seldom recur, serve requests that are somewhat smaller too,
/// and go back to the driver, which waits for all work, only where many are kept.
class BlockCache {
 public:
  using Blocks = std::vector<std::pair<std::byte*, size_t>>;

  std::byte* take(size_t bytes);  ///< throws kOutOfMemory
  void give(std::byte* data);
  size_t in_use() const { return in_use_; }
  size_t peak() const { return peak_; }  ///< of in_use(), since the start

  /// While a stream is captured, blocks that are freed may be used again by what is captured, but by nothing else: the
  /// graph writes to them in each launch.
  void begin_capture();
  Blocks end_capture();                  ///< the graph's blocks
  void give_back(const Blocks& blocks);  ///< when the graph is gone

 private:
  static constexpr size_t kGranule = 512;
  static constexpr size_t kLarge = size_t{32} << 20;
  static constexpr size_t kMostKept = size_t{1} << 30;

  std::byte* from_driver(size_t bytes);
  std::byte* malloc_or_null(size_t bytes);
  void put_away(std::byte* data, size_t bytes);
  void to_driver(std::byte* data, size_t bytes);

  // Without the cache every block has exactly its size: memory checkers then see accesses behind its end.
  const bool exact_ = environment_flag("WENDE_CUDA_NO_CACHE");
  std::mutex mutex_;
  std::map<size_t, std::vector<std::byte*>> free_;
  std::map<size_t, std::vector<std::byte*>> captured_;  ///< freed during a capture
  bool capturing_ = false;
  std::unordered_map<std::byte*, size_t> sizes_;
  size_t in_use_ = 0;
  size_t peak_ = 0;
  size_t held_ = 0;        ///< of the driver
  size_t kept_large_ = 0;  ///< bytes of large blocks in free_
};

BlockCache& blocks();

}  // namespace wende::cuda

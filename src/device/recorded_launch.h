#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/device.h"

/// Work of a GPU that is recorded once and launched again as a whole: CUDA graphs.
namespace wende {

/// Grows with all that a recorded launch would not repeat: numbers that the host chooses anew in each run (lengths, the
/// step of random numbers), copies from and to the host, waiting. Work during which it grows cannot be recorded.
inline thread_local uint64_t host_dependences = 0;
inline void depends_on_host() { ++host_dependences; }

class RecordedLaunch {
 public:
  RecordedLaunch(void* graph, std::vector<std::shared_ptr<Buffer>> buffers)
      : graph_(graph), buffers_(std::move(buffers)) {}
  ~RecordedLaunch();
  RecordedLaunch(const RecordedLaunch&) = delete;
  RecordedLaunch& operator=(const RecordedLaunch&) = delete;

  /// With the arguments and addresses that were recorded.
  void launch() const;
  size_t operations() const;

 private:
  void* graph_;
  std::vector<std::shared_ptr<Buffer>> buffers_;
};

/// While it lives, what is launched is recorded and does not run. Device memory that is freed meanwhile stays with the
/// recorded launch. One at a time.
class Recording {
 public:
  Recording();
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// nullptr: nothing was recorded.
  std::unique_ptr<RecordedLaunch> end();

 private:
  uint64_t dependences_;
  bool open_ = true;
};

bool is_recording();
int64_t launched_recordings();  ///< in this process, so far

/// For owners of device memory that may give it back later: a recording that is under way, if any, keeps it as long as
/// its launch exists.
void keep_for_recording(const std::shared_ptr<Buffer>& buffer);

/// False for the CPU, while each launch waits (WENDE_CUDA_SYNC), and after allow_recorded_launches(false).
bool records_launches(Device device);
void allow_recorded_launches(bool allowed);

}  // namespace wende

#include "device/recorded_launch.h"

#include "base/error.h"
#include "device/cuda_memory.h"

namespace wende {
namespace {

bool allowed = true;
bool recording = false;
int64_t launched = 0;
std::vector<std::shared_ptr<Buffer>> kept;

}  // namespace

RecordedLaunch::~RecordedLaunch() { cuda::destroy_graph(graph_); }
void RecordedLaunch::launch() const {
  cuda::launch_graph(graph_);
  ++launched;
}
size_t RecordedLaunch::operations() const { return cuda::graph_operations(graph_); }

Recording::Recording() : dependences_(host_dependences) {
  cuda::begin_capture();
  recording = true;
}

Recording::~Recording() {
  if (!open_) return;
  try {
    end();
  } catch (const Error&) {  // another one is under way, because of which this recording is given up
  }
}

std::unique_ptr<RecordedLaunch> Recording::end() {
  open_ = false;
  recording = false;
  std::vector<std::shared_ptr<Buffer>> buffers;
  buffers.swap(kept);
  void* graph = cuda::end_capture();
  if (graph == nullptr) return nullptr;
  auto launch = std::make_unique<RecordedLaunch>(graph, std::move(buffers));
  return host_dependences == dependences_ ? std::move(launch) : nullptr;
}

bool is_recording() { return recording; }
int64_t launched_recordings() { return launched; }

void keep_for_recording(const std::shared_ptr<Buffer>& buffer) {
  if (recording && buffer != nullptr && !buffer->device().is_cpu()) kept.push_back(buffer);
}

bool records_launches(Device device) { return allowed && !device.is_cpu() && !cuda::launches_wait(); }
void allow_recorded_launches(bool value) { allowed = value; }

}  // namespace wende

// cudasim internals of the runtime: the state of the one device, and what the API functions are made of.
#pragma once
#include <cuda_runtime.h>
#include <signal.h>

#include "core.hpp"

// A captured stream, and those that joined it by waiting for its events: a lane for each.
struct CUgraph_st {
  struct Node {
    enum Kind { operation, record, wait } kind;
    int lane;
    int mark;  // record, wait: which event
    const char* name;
    std::function<void()> run;
  };
  std::vector<Node> nodes;
  std::vector<CUstream_st*> lanes;
  int marks = 0;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  bool invalid = false;
};
struct CUgraphExec_st {
  std::vector<CUgraph_st::Node> nodes;
  std::vector<CUstream_st*> branches;  // of lanes 1, 2, ...
  int marks = 0;
  bool destroyed = false;
};

struct CUstream_st {
  int index = 0;
  bool blocking = true, destroyed = false;
  cudasim::Seq seq = 0;
  cudasim::Clock clock;
  std::deque<cudasim::Op> queue;
  CUgraph_st* capture = nullptr;  // what is captured: operations go there instead of into the queue
};
struct CUevent_st {
  cudasim::Clock clock;
  const CUgraph_st* captured = nullptr;  // recorded while this was captured, there as
  int mark = 0;
  bool timing = true;
  double ms = -1;
};

namespace cudasim {
constexpr std::size_t kDevice = 2ull << 30, kPinned = 512ull << 20, kRed = 256;
double now_ms();
void at_exit();
struct Runtime {
  Options opt;
  char* base = nullptr;
  std::size_t dev_top = 0, pin_top = 0;
  std::map<std::uintptr_t, Alloc> allocs;
  std::map<std::size_t, std::vector<std::uintptr_t>> freelist[2];
  std::size_t quarantine = 0;
  int alloc_ids = 0;
  std::vector<CUstream_st*> streams;  // [0] unused (host)
  std::vector<Seq> done;              // completed seq per stream
  Clock host;
  std::uint32_t host_op_id = 0;
  Seq host_op_seq = ~0ull;
  std::vector<OpInfo> ops{{HOST, 0, "?"}};
  Op* running = nullptr;
  cudaError_t last = cudaSuccess, stick = cudaSuccess;
  int open = 0;
  cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

  Runtime();
  CUstream_st* stream(int) {
    auto* s = new CUstream_st;
    s->index = int(streams.size());
    streams.push_back(s);
    done.push_back(0);
    return s;
  }
  static void on_fault(int, siginfo_t* si, void* uc);
};
Runtime& rt();

enum class Step { ran, waiting, nothing };
CUstream_st* get(cudaStream_t s);
Step step(const Clock& target);
bool reached(const Clock& t);
void run_until(const Clock& t);
void host_waits(const Clock& t);
void wait_stream(cudaStream_t s);
Clock everything();
cudaError_t ret(cudaError_t e = cudaSuccess);
cudaError_t allocate(void** p, std::size_t n, bool pinned);
void release(Alloc& a);
cudaError_t free_(void* p, bool pinned);

void allow_shared(const void* kernel, int bytes);  // cudaFuncAttributeMaxDynamicSharedMemorySize

// capture.cpp
CUstream_st* capturing();  // the stream that is captured, if one is
// A call that no capture may see, or none but a relaxed one; true: reported, and the capture is invalid.
bool illegal_in_capture(const char* call, bool unless_relaxed);
bool event_captured(CUstream_st* s, cudaEvent_t e);  // recorded in a capture
bool wait_captured(CUstream_st* s, cudaEvent_t e);   // waited for in a capture, or refused
bool captured(CUstream_st* s, const char* name, const std::function<void()>& run, bool can_be_captured);
}  // namespace cudasim

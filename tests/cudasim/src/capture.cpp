// cudasim: CUDA graphs. A captured stream keeps its operations as a graph; a launch puts them into a stream's queue,
// with the arguments that they had when they were captured. What a capture must not see is a finding.
#include <algorithm>

#include "runtime.hpp"

namespace cudasim {
CUstream_st* capturing() {
  for (auto* s : rt().streams)
    if (s->capture) return s;
  return nullptr;
}
bool illegal_in_capture(const char* call, bool unless_relaxed) {
  CUstream_st* s = capturing();
  if (!s) return false;
  const bool relaxed =
      s->capture->mode == cudaStreamCaptureModeRelaxed || rt().thread_mode == cudaStreamCaptureModeRelaxed;
  if (unless_relaxed && relaxed) return false;
  report("capture", std::string(call) + " while a stream is captured");
  s->capture->invalid = true;
  return true;
}
bool captured(CUstream_st* s, const char* name, const std::function<void()>& run, bool can_be_captured) {
  if (!s->capture) {
    if (s->index == NULL_STREAM) illegal_in_capture("work on the default stream", false);
    return false;
  }
  if (!can_be_captured) illegal_in_capture(name, false);
  s->capture->nodes.push_back({name, run});
  return true;
}
}  // namespace cudasim

using namespace cudasim;
extern "C" {
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, rt().thread_mode);
  return ret();
}
cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode) {
  if (get(s)->index == NULL_STREAM || illegal_in_capture("cudaStreamBeginCapture", false))
    return ret(cudaErrorStreamCaptureUnsupported);
  s->capture = new CUgraph_st;
  s->capture->mode = mode;
  return ret();
}
cudaError_t cudaStreamIsCapturing(cudaStream_t s, cudaStreamCaptureStatus* status) {
  const CUgraph_st* g = get(s)->capture;
  *status = !g           ? cudaStreamCaptureStatusNone
            : g->invalid ? cudaStreamCaptureStatusInvalidated
                         : cudaStreamCaptureStatusActive;
  return ret();
}
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t* graph) {
  *graph = nullptr;
  CUgraph_st* g = get(s)->capture;
  if (!g) return ret(cudaErrorIllegalState);
  s->capture = nullptr;
  if (g->invalid) {
    delete g;
    return ret(cudaErrorStreamCaptureInvalidated);
  }
  *graph = g;
  return ret();
}
cudaError_t cudaGraphGetNodes(cudaGraph_t g, cudaGraphNode_t* nodes, size_t* n) {
  if (nodes) return ret(cudaErrorNotSupported);
  *n = g->nodes.size();
  return ret();
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t g, unsigned long long) {
  if (illegal_in_capture("cudaGraphInstantiate", true)) return ret(cudaErrorStreamCaptureUnsupported);
  *exec = new CUgraphExec_st{g->nodes};
  return ret();
}
cudaError_t cudaGraphDestroy(cudaGraph_t g) {
  delete g;
  return ret();
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {  // launches that are under way keep their own copies
  if (exec->destroyed) report("bad-free", "a graph is destroyed twice");
  exec->destroyed = true;
  exec->nodes.clear();
  return ret();
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t s) {
  if (exec->destroyed) {
    report("use-after-free", "a graph is launched after it was destroyed");
    return ret(cudaErrorInvalidValue);
  }
  if (get(s)->capture && illegal_in_capture("cudaGraphLaunch (not emulated)", false))
    return ret(cudaErrorStreamCaptureUnsupported);
  for (const CUgraph_st::Node& node : exec->nodes) enqueue(s, node.name, node.run);
  return ret();
}
}

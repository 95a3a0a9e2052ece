// cudasim: CUDA graphs. A captured stream keeps its operations as a graph; a launch puts them into a stream's queue,
// with the arguments that they had when they were captured. What a capture must not see is a finding.
#include <algorithm>

#include "runtime.hpp"

namespace cudasim {
namespace {
int lane_of(CUstream_st* s) {
  const auto& lanes = s->capture->lanes;
  return int(std::find(lanes.begin(), lanes.end(), s) - lanes.begin());
}
// Does the first lane, at the end, come after all that the others do?
bool joined(const CUgraph_st& g) {
  std::vector<std::vector<int>> clocks(g.lanes.size(), std::vector<int>(g.lanes.size(), -1)), marks(g.marks);
  std::vector<int> last(g.lanes.size(), -1);
  for (int i = 0; i < int(g.nodes.size()); ++i) {
    const auto& n = g.nodes[i];
    auto& clock = clocks[n.lane];
    if (n.kind == CUgraph_st::Node::operation) clock[n.lane] = last[n.lane] = i;
    if (n.kind == CUgraph_st::Node::record) marks[n.mark] = clock;
    if (n.kind == CUgraph_st::Node::wait)
      for (std::size_t k = 0; k < clock.size(); ++k) clock[k] = std::max(clock[k], marks[n.mark][k]);
  }
  return clocks[0] == last;
}
}  // namespace
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
  s->capture->nodes.push_back({CUgraph_st::Node::operation, lane_of(s), 0, name, run});
  return true;
}
bool event_captured(CUstream_st* s, cudaEvent_t e) {
  e->captured = s->capture;
  if (!s->capture) return false;
  e->mark = s->capture->marks++;
  s->capture->nodes.push_back({CUgraph_st::Node::record, lane_of(s), e->mark, "event", {}});
  return true;
}
bool wait_captured(CUstream_st* s, cudaEvent_t e) {
  CUstream_st* active = capturing();
  CUgraph_st* g = active && e->captured == active->capture ? active->capture : nullptr;
  if (!g && !s->capture && !e->captured) return false;
  if (!g || (s->capture && s->capture != g)) {
    if (!illegal_in_capture(
            s->capture ? "waiting for an event from outside" : "waiting for an event of another capture", false))
      report("capture", "an event of a capture that has ended is waited for");
    return true;
  }
  if (!s->capture) {
    s->capture = g;
    g->lanes.push_back(s);
  }
  g->nodes.push_back({CUgraph_st::Node::wait, lane_of(s), e->mark, "wait", {}});
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
  s->capture->lanes.push_back(s);
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
  if (!g || g->lanes[0] != s) return ret(cudaErrorIllegalState);
  if (!joined(*g)) illegal_in_capture("the end of the capture, which a branch has not joined,", false);
  for (CUstream_st* lane : g->lanes) lane->capture = nullptr;
  if (g->invalid) {
    delete g;
    return ret(cudaErrorStreamCaptureInvalidated);
  }
  *graph = g;
  return ret();
}
cudaError_t cudaGraphGetNodes(cudaGraph_t g, cudaGraphNode_t* nodes, size_t* n) {
  if (nodes) return ret(cudaErrorNotSupported);
  *n = std::size_t(std::count_if(g->nodes.begin(), g->nodes.end(),
                                 [](const auto& node) { return node.kind == CUgraph_st::Node::operation; }));
  return ret();
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t g, unsigned long long) {
  if (illegal_in_capture("cudaGraphInstantiate", true)) return ret(cudaErrorStreamCaptureUnsupported);
  *exec = new CUgraphExec_st;
  (*exec)->nodes = g->nodes;
  (*exec)->marks = g->marks;
  for (std::size_t lane = 1; lane < g->lanes.size(); ++lane) {
    (*exec)->branches.push_back(rt().stream(0));
    (*exec)->branches.back()->blocking = false;
  }
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
  std::vector<Clock> marks(exec->marks);
  for (const CUgraph_st::Node& node : exec->nodes) {
    CUstream_st* lane = node.lane == 0 ? get(s) : exec->branches[node.lane - 1];
    if (node.kind == CUgraph_st::Node::operation)
      enqueue(lane, node.name, node.run);
    else if (node.kind == CUgraph_st::Node::record)
      marks[node.mark] = lane->clock;
    else
      lane->clock.merge(marks[node.mark]);
  }
  return ret();
}
}

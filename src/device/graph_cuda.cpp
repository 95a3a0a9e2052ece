#include "device/block_cache_cuda.h"
#include "device/cuda_check.cuh"
#include "device/cuda_memory.h"

namespace wende::cuda {
namespace {

/// A captured stream, ready to be launched, with the blocks of memory that were freed within it.
struct Graph {
  cudaGraphExec_t exec = nullptr;
  size_t operations = 0;
  BlockCache::Blocks blocks;
};

}  // namespace

void begin_capture() {
  WENDE_CUDA_CHECK(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal));
  blocks().begin_capture();
}

void* end_capture() {
  BlockCache::Blocks freed = blocks().end_capture();
  cudaGraph_t captured = nullptr;
  const cudaError_t status = cudaStreamEndCapture(stream(), &captured);
  if (status != cudaSuccess || captured == nullptr) {
    cudaGetLastError();
    blocks().give_back(freed);
    return nullptr;
  }
  auto* graph = new Graph;
  graph->blocks = std::move(freed);
  const cudaError_t counted = cudaGraphGetNodes(captured, nullptr, &graph->operations);
  const cudaError_t made =
      counted != cudaSuccess || graph->operations == 0 ? counted : cudaGraphInstantiate(&graph->exec, captured, 0);
  cudaGraphDestroy(captured);
  if (made != cudaSuccess || graph->operations == 0) {
    destroy_graph(graph);
    WENDE_CUDA_CHECK(made);
    return nullptr;
  }
  return graph;
}

void launch_graph(void* graph) { WENDE_CUDA_CHECK(cudaGraphLaunch(static_cast<Graph*>(graph)->exec, stream())); }
size_t graph_operations(const void* graph) { return static_cast<const Graph*>(graph)->operations; }

void destroy_graph(void* graph) noexcept {
  auto* own = static_cast<Graph*>(graph);
  if (own->exec != nullptr) cudaGraphExecDestroy(own->exec);
  blocks().give_back(own->blocks);
  delete own;
}

}  // namespace wende::cuda

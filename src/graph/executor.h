#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "graph/binding.h"
#include "graph/graph.h"
#include "tensor/tensor.h"

namespace wende {

/// One value that a run hands out.
struct Fetch {
  Expr expr;
  Tensor into;           ///< if defined: written to this memory (same shape); else a tensor valid until the next run
  bool pointed = false;  ///< written to the memory of Executor::point_fetch, where later nodes may read it
};

class RunNumbers;

struct RunOptions {
  uint64_t seed = 1;
  uint64_t step = 0;
  const RunNumbers* numbers = nullptr;  ///< on a GPU, of the executor: the step and more in its memory
  /// Called as soon as fetch i is computed, while later nodes still run: gradients start their allreduce here.
  std::function<void(int fetch)> on_fetch;
  /// Called when all is launched, before results are waited for: the host may prepare the next run while a GPU works.
  std::function<void()> launched;
  bool check_numerics = false;  ///< throws kNonFinite naming the first layer with a non-finite output
};

/// Bytes of a run, from sizes alone.
struct PlannedMemory {
  size_t values = 0;   ///< the arena
  size_t largest = 0;  ///< of them
};

/// Runs the part of a graph that some fetches need. Each run plans all memory in one arena for the sizes at hand
/// (plans are cached by sizes) and then calls a flat list of kernels.
class Executor {
 public:
  Executor(const Graph& graph, std::vector<Fetch> fetches, Device device = Device::cpu());
  ~Executor();

  /// Tensors for input and parameter leaves, by name. Parameters may stay bound for many runs.
  void bind(const std::string& name, Tensor tensor);
  std::vector<std::string> leaf_names() const;

  /// Values of the fetches, in their order. Errors get the layer of the failing node as frame.
  std::vector<Tensor> run(const Binding& binding, const RunOptions& options = {});

  /// Loops: prepare once for the sizes of a batch (leaves named in `moving` and pointed fetches need no memory yet),
  /// then point those and step, as often as needed. All else that is bound stays as it is.
  void prepare(const Binding& binding, const RunOptions& options, const std::vector<NodeId>& moving);
  void point_leaf(NodeId leaf, const Tensor& tensor);
  void point_fetch(int fetch, const Tensor& tensor);
  void step();
  /// The same on a GPU, with all leaves and fetches where they were in the first call since prepare(): recorded and
  /// launched as a whole, as far as the steps do not depend on the host.
  void repeat_step();
  size_t prepared_kernels() const;  ///< of a step

  const Binding& binding() const;  ///< of the last run, with the sizes that it found out
  size_t arena_bytes() const;      ///< of the last run
  /// What a run with these sizes would take for its values, up to a step that finds out further sizes; nothing is
  /// allocated.
  PlannedMemory planned_memory(const Binding& binding) const;
  int64_t node_count() const;                     ///< nodes that run
  std::set<std::string> host_operations() const;  ///< that would run on copies on the host if this were on a GPU
  /// How often recorded stretches of steps were launched (GPU): runs of repeated sizes use CUDA graphs, unless numerics
  /// are checked, time is taken, or allow_recorded_launches(false) was called.
  int64_t recorded_launches() const;
  /// The largest values of the last run's plan, one a line: MB, place in the arena, steps in which it lives, who makes
  /// it.
  std::string memory_text(size_t most) const;
  /// CPU seconds of the running thread by layer since the last reset, when profiling is on: other processes do not
  /// count.
  void set_profiling(bool on);
  std::map<std::string, double> seconds_by_scope() const;
  double planning_seconds() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wende

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/binding.h"
#include "graph/graph.h"
#include "graph/padding.h"
#include "kernels/pointwise_function.h"
#include "tensor/tensor.h"

namespace wende {

struct RunOptions;

/// Walks the attributes of an op, for printing, equality and hashing: one line per attribute in every op.
class AttributeVisitor {
 public:
  virtual ~AttributeVisitor() = default;
  virtual void field(std::string_view name, int64_t value) = 0;
  virtual void field(std::string_view name, double value) = 0;
  virtual void field(std::string_view name, const std::string& value) = 0;
  virtual void field(std::string_view name, const std::vector<Dim>& dims) = 0;
  void field(std::string_view name, const std::vector<int>& values);
  void field(std::string_view name, bool value) { field(name, static_cast<int64_t>(value)); }
  void field(std::string_view name, int value) { field(name, static_cast<int64_t>(value)); }
  void field(std::string_view name, const Dim& dim) { field(name, std::vector<Dim>{dim}); }
};

/// What an op sees when it runs: tensors, sizes of dims, the device, random numbers. No layers, no graph.
class RunContext {
 public:
  virtual ~RunContext() = default;
  virtual const Tensor& input(int index) const = 0;   ///< contiguous
  virtual const Tensor& output(int index) const = 0;  ///< contiguous, planned in the arena, uninitialised
  virtual bool output_wanted(int index) const = 0;    ///< false: nobody reads it; it may be left unwritten
  virtual const Binding& binding() const = 0;
  virtual Device device() const = 0;
  /// Working memory of this call only, contiguous and uninitialised.
  virtual Tensor scratch(DType dtype, Shape shape) = 0;
  virtual uint64_t seed() const = 0;
  virtual uint64_t step() const = 0;
  /// Frames to compute, for ops whose PaddingRule skips; nullptr: all rows.
  virtual const FrameRows* frames() const { return nullptr; }
  /// What this node keeps from run to run (a loop's executor): empty at first.
  virtual std::shared_ptr<void>& kept() = 0;
  /// How errors, numerics checks and random numbers are handled in this run.
  virtual const RunOptions& options() const = 0;
  /// Leaves only: the tensor bound to this input or parameter name.
  virtual const Tensor& bound(const std::string& name) const = 0;
};

/// What vjp sees: the node in the graph and the gradients of its outputs.
class VjpContext {
 public:
  Graph& graph;
  const Node node;  ///< a copy: vjp appends to the graph
  NodeId id;
  std::vector<Expr> output_grads;  ///< undefined where nothing flows back
  std::vector<bool> needed;        ///< per input: does anybody want its gradient

  Expr input(int i) const { return node.inputs[static_cast<size_t>(i)]; }
  Expr output(int i) const { return {&graph, id, i}; }
  Expr grad(int i = 0) const { return output_grads[static_cast<size_t>(i)]; }
};

/// Output that may take over the memory of an input: run reads each element before it writes there.
struct Overwrite {
  int output = -1;
  int input = -1;
};

struct OpTraits {
  bool pure = true;             ///< same inputs, same outputs: may be merged with an equal node (not: random, leaves)
  bool pointwise = false;       ///< out[i] depends on in[i] only (after broadcasting): in-place and fusion are allowed
  bool host_only = false;       ///< runs on the host, on host tensors, whatever the device
  bool skips_unwanted = false;  ///< never writes an output that is not wanted: it gets no memory
  bool of_lengths = false;      ///< no inputs: brings to a device what the host knows of a batch's lengths
  bool sums_frames = false;     ///< a sum over the leading axes of all inputs: with one axis more, a sum over that too
  Overwrite overwrites = {};
};

/// A kind of computation with its attributes; immutable. One file per op under src/ops.
class Op {
 public:
  virtual ~Op() = default;
  virtual std::string_view name() const = 0;
  virtual void attributes(AttributeVisitor&) const {}
  virtual OpTraits traits() const { return {}; }
  virtual PaddingRule padding() const { return {}; }
  /// Of pointwise ops: what each element is, so that steps can run several at once (graph/pointwise_chains.h).
  virtual std::optional<PointwiseFunction> pointwise_function() const { return {}; }

  /// Types of the outputs; throws Error "[op] ..." with the types of the inputs when they do not fit.
  virtual std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const = 0;
  virtual void run(RunContext& context) const = 0;
  /// Output 0 has the bytes of this input, so that the executor may alias it and skip run; -1: a result of its own.
  virtual int aliases_input() const { return -1; }
  /// Gradients by input, built as graph; undefined = zero. The default throws "[op] has no gradient".
  virtual std::vector<Expr> vjp(const VjpContext& context) const;
};

/// "[matmul] inner sizes differ: float32 [B,T,F|(4)] x float32 [F|(5),F|(6)]" with status kConfig.
[[noreturn]] void op_error(std::string_view op, const std::string& message, const std::vector<ExprType>& inputs);

/// "name{attribute=value,...}", the text that Graph::str and equality use.
std::string op_text(const Op& op);

}  // namespace wende

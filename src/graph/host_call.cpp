#include "graph/host_call.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "device/recorded_launch.h"
#include "graph/device_op.h"
#include "graph/size_op.h"
#include "tensor/placement.h"

namespace wende {
namespace {

/// What an op without kernels for the device sees: copies of its inputs on the host, and results there that go back.
class HostCall final : public RunContext {
 public:
  HostCall(RunContext& device_call, Scratch& scratch, int inputs, int outputs)
      : device_call_(device_call), scratch_(scratch) {
    for (int i = 0; i < inputs; ++i) {
      inputs_.push_back(on_host(device_call.input(i)));
    }
    for (int i = 0; i < outputs; ++i) {
      const Tensor& target = device_call.output(i);
      outputs_.push_back(Tensor::empty(target.dtype(), target.shape()));
    }
  }

  const Tensor& input(int index) const override { return inputs_[static_cast<size_t>(index)]; }
  const Tensor& output(int index) const override { return outputs_[static_cast<size_t>(index)]; }
  bool output_wanted(int index) const override { return device_call_.output_wanted(index); }
  const Binding& binding() const override { return device_call_.binding(); }
  Device device() const override { return Device::cpu(); }
  Tensor scratch(DType dtype, Shape shape) override { return scratch_.take(dtype, shape); }
  uint64_t seed() const override { return device_call_.seed(); }
  uint64_t step() const override { return device_call_.step(); }
  const FrameRows* frames() const override { return device_call_.frames(); }
  std::shared_ptr<void>& kept() override { return device_call_.kept(); }
  const RunOptions& options() const override { return device_call_.options(); }
  const Tensor& bound(const std::string& name) const override { return device_call_.bound(name); }

  /// everything: sizes that an op found out are read without a node that wants them.
  void write_back(bool everything) const {
    for (size_t i = 0; i < outputs_.size(); ++i) {
      if (everything || output_wanted(static_cast<int>(i))) {
        device_call_.output(static_cast<int>(i)).copy_from(outputs_[i]);
      }
    }
  }

 private:
  RunContext& device_call_;
  Scratch& scratch_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
};

}  // namespace

void run_on_host(const Op& op, RunContext& device_call, Scratch& scratch, size_t inputs, size_t outputs) {
  depends_on_host();
  scratch.reset();
  HostCall call(device_call, scratch, static_cast<int>(inputs), static_cast<int>(outputs));
  op.run(call);
  call.write_back(dynamic_cast<const SizeOp*>(&op) != nullptr);
}

namespace {

bool runs_on_host(const Op& op, bool has_inputs) {
  const auto* device_op = dynamic_cast<const DeviceOp*>(&op);
  return device_op == nullptr && has_inputs && op.aliases_input() < 0;
}

void find_host_ops(const Graph& graph, NodeId id, std::set<std::string>& found) {
  const Node& node = graph.node(id);
  if (runs_on_host(*node.op, !node.inputs.empty())) found.insert(std::string(node.op->name()));
  const auto* device_op = dynamic_cast<const DeviceOp*>(node.op.get());
  if (device_op == nullptr || device_op->body() == nullptr) return;
  for (NodeId inner = 0; inner < device_op->body()->size(); ++inner) find_host_ops(*device_op->body(), inner, found);
}

}  // namespace

std::set<std::string> host_ops(const Graph& graph, const Program& program) {
  std::set<std::string> found;
  for (const Program::Step& step : program.steps) {
    const ValuePlace::Kind kind = program.values[static_cast<size_t>(step.outputs.at(0))].kind;
    if (kind == ValuePlace::Kind::kArena || kind == ValuePlace::Kind::kFetch) find_host_ops(graph, step.node, found);
  }
  return found;
}

void warn_of_host_ops(const Graph& graph, const Program& program) {
  static std::set<std::string> named;  // of this process: other programs have them as well
  std::set<std::string> fresh;
  for (const std::string& name : host_ops(graph, program)) {
    if (named.insert(name).second) fresh.insert(name);
  }
  if (fresh.empty()) return;
  log_line(2,
           fmt::format("warning: no CUDA kernels for {}: computed on the host, with copies", fmt::join(fresh, ", ")));
}

}  // namespace wende

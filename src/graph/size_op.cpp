#include "graph/size_op.h"

#include <map>

namespace wende {
namespace {

/// All dims that an op names.
class DimCollector : public AttributeVisitor {
 public:
  using AttributeVisitor::field;
  void field(std::string_view, int64_t) override {}
  void field(std::string_view, double) override {}
  void field(std::string_view, const std::string&) override {}
  void field(std::string_view, const std::vector<Dim>& dims) override { add(dims); }
  void add(const std::vector<Dim>& dims) { dims_.insert(dims_.end(), dims.begin(), dims.end()); }
  const std::vector<Dim>& dims() const { return dims_; }

 private:
  std::vector<Dim> dims_;
};

void collect(const Dim& dim, const std::map<uint64_t, NodeId>& ops, std::vector<NodeId>& found) {
  if (!dim.defined() || dim.is_static()) {
    return;
  }
  if (const auto it = ops.find(dim.id()); it != ops.end()) {
    found.push_back(it->second);
    return;
  }
  for (const Dim& operand : dim.operands()) {
    collect(operand, ops, found);
  }
}

}  // namespace

std::map<uint64_t, NodeId> size_ops(const Graph& graph) {
  std::map<uint64_t, NodeId> ops;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (const auto* op = dynamic_cast<const SizeOp*>(graph.node(id).op.get())) {
      ops[op->sized().id()] = id;
    }
  }
  return ops;
}

std::vector<NodeId> sizes_read(const Node& node, const std::map<uint64_t, NodeId>& ops) {
  std::vector<NodeId> found;
  if (ops.empty() || dynamic_cast<const SizeOp*>(node.op.get()) != nullptr) {
    return found;
  }
  DimCollector collector;
  node.op->attributes(collector);
  for (const ExprType& type : node.outputs) {
    collector.add(type.dims);
  }
  for (const Dim& dim : collector.dims()) {
    collect(dim, ops, found);
  }
  return found;
}

}  // namespace wende

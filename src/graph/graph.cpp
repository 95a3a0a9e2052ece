#include "graph/graph.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "graph/leaf_op.h"
#include "graph/op.h"

namespace wende {

namespace {

/// Writes attributes as "name=value,name=value"; Dims by identity, so that equal texts mean equal ops.
class AttributeText : public AttributeVisitor {
 public:
  void field(std::string_view name, int64_t value) override { add(name, fmt::format("{}", value)); }
  void field(std::string_view name, double value) override { add(name, fmt::format("{:.17g}", value)); }
  void field(std::string_view name, const std::string& value) override { add(name, "'" + value + "'"); }
  void field(std::string_view name, const std::vector<Dim>& dims) override {
    std::string text = "[";
    for (const Dim& dim : dims) {
      text += !dim.defined()    ? "none,"
              : dim.is_static() ? fmt::format("{},", dim.size())
                                : fmt::format("#{},", dim.id());
    }
    add(name, text + "]");
  }
  std::string text;

 private:
  void add(std::string_view name, const std::string& value) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", name, value);
  }
};

bool same_types(const std::vector<ExprType>& a, const std::vector<ExprType>& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].dtype != b[i].dtype || a[i].dims != b[i].dims) {
      return false;
    }
  }
  return true;
}

std::string types_text(const std::vector<ExprType>& types) {
  std::string text;
  for (const ExprType& type : types) {
    text += (text.empty() ? "" : ", ") + type.str();
  }
  return text;
}

}  // namespace

void AttributeVisitor::field(std::string_view name, const std::vector<int>& values) {
  std::string text;
  for (const int value : values) {
    text += fmt::format("{},", value);
  }
  field(name, text);
}

std::string ExprType::str() const {
  std::string text = std::string(name_of(dtype)) + " [";
  for (size_t i = 0; i < dims.size(); ++i) {
    text += (i > 0 ? "," : "") + dims[i].str();
  }
  return text + "]";
}

const ExprType& Expr::type() const {
  if (graph == nullptr) {
    throw internal_error("type of an undefined expression");
  }
  return graph->node(node).outputs[static_cast<size_t>(output)];
}

std::string op_text(const Op& op) {
  AttributeText visitor;
  op.attributes(visitor);
  return fmt::format("{}{{{}}}", op.name(), visitor.text);
}

void op_error(std::string_view op, const std::string& message, const std::vector<ExprType>& inputs) {
  throw Error(ExitStatus::kConfig, fmt::format("[{}] {}: {}", op, message, types_text(inputs)));
}

std::vector<Expr> Op::vjp(const VjpContext&) const {
  throw Error(ExitStatus::kConfig, fmt::format("[{}] has no gradient", name()));
}

namespace {

uint64_t next_graph_id() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

Graph::Graph(Graph* outer) : id_(next_graph_id()), outer_(outer) { scopes_.emplace_back(); }

Expr Graph::add(std::shared_ptr<const Op> op, std::vector<Expr> inputs) {
  std::vector<ExprType> input_types;
  size_t hash = std::hash<std::string>()(op_text(*op));
  for (const Expr& input : inputs) {
    if (input.graph != this) {
      throw internal_error(fmt::format("[{}] input is undefined or of another graph", op->name()));
    }
    input_types.push_back(input.type());
    hash = hash * 1000003 + static_cast<size_t>(input.node) * 31 + static_cast<size_t>(input.output);
  }
  std::vector<ExprType> outputs = op->infer(input_types);
  if (op->traits().pure) {
    if (invariant(*op, inputs, outputs)) {
      return add_outside(std::move(op), inputs);
    }
    const auto [begin, end] = by_hash_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
      const Node& other = node(it->second);
      if (other.inputs == inputs && same_types(other.outputs, outputs) && op_text(*other.op) == op_text(*op)) {
        return {this, it->second, 0};
      }
    }
  }
  return append(std::move(op), std::move(inputs), std::move(outputs), hash);
}

Expr Graph::append(std::shared_ptr<const Op> op, std::vector<Expr> inputs, std::vector<ExprType> outputs, size_t hash) {
  nodes_.push_back({std::move(op), std::move(inputs), std::move(outputs), scope_});
  const NodeId id = size() - 1;
  by_hash_.emplace(hash, id);
  return {this, id, 0};
}

/// Ops of several outputs stay inside: a capture is one value.
bool Graph::invariant(const Op& op, const std::vector<Expr>& inputs, const std::vector<ExprType>& outputs) const {
  return outer_ != nullptr && outputs.size() == 1 && dynamic_cast<const LeafOp*>(&op) == nullptr &&
         std::all_of(inputs.begin(), inputs.end(),
                     [this](const Expr& input) { return captured_.count(input.node) != 0; });
}

Expr Graph::add_outside(std::shared_ptr<const Op> op, const std::vector<Expr>& inputs) {
  std::vector<Expr> values;
  for (const Expr& input : inputs) {
    values.push_back(captured_.at(input.node));
  }
  const ScopeGuard scope(*outer_, scope_name(scope_));
  return capture(outer_->add(std::move(op), std::move(values)));
}

Expr Graph::capture(Expr value) {
  if (value.graph == this) {
    return value;
  }
  if (outer_ == nullptr) {
    throw internal_error("a value of another graph in a graph without an outer one: " + value.type().str());
  }
  value = outer_->capture(value);
  const auto [it, fresh] = leaf_of_.try_emplace({value.node, value.output}, -1);
  if (fresh) {
    auto leaf = std::make_shared<const LeafOp>(fmt::format("capture:{}", size()), false, value.type());
    it->second = append(std::move(leaf), {}, {value.type()}, 0).node;
    captured_[it->second] = value;
  }
  return {this, it->second, 0};
}

Expr Graph::captured(Expr leaf) const {
  const auto it = captured_.find(leaf.node);
  return leaf.graph != this || it == captured_.end() ? Expr{} : it->second;
}

std::unique_ptr<Graph> Graph::clone(Graph& outer, std::map<NodeId, Expr> values) const {
  auto copy = std::make_unique<Graph>(&outer);
  copy->nodes_ = nodes_;
  copy->scopes_ = scopes_;
  copy->by_hash_ = by_hash_;
  for (Node& node : copy->nodes_) {
    for (Expr& input : node.inputs) {
      input.graph = copy.get();
    }
  }
  for (const auto& [leaf, value] : values) {
    copy->leaf_of_[{value.node, value.output}] = leaf;
  }
  copy->captured_ = std::move(values);
  return copy;
}

int Graph::enter_scope(const std::string& name) {
  const int previous = scope_;
  for (size_t i = 0; i < scopes_.size(); ++i) {
    if (scopes_[i] == name) {
      scope_ = static_cast<int>(i);
      return previous;
    }
  }
  scopes_.push_back(name);
  scope_ = static_cast<int>(scopes_.size()) - 1;
  return previous;
}

std::string Graph::str() const {
  std::string text;
  for (NodeId id = 0; id < size(); ++id) {
    const Node& n = node(id);
    std::string inputs;
    for (const Expr& input : n.inputs) {
      inputs += fmt::format("{}%{}", inputs.empty() ? "" : ", ", input.node);
      inputs += input.output > 0 ? fmt::format(".{}", input.output) : "";
    }
    text += fmt::format("%{} = {}({}) : {}  # {}\n", id, op_text(*n.op), inputs, types_text(n.outputs),
                        scope_name(n.scope));
  }
  return text;
}

}  // namespace wende

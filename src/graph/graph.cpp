#include "graph/graph.h"

#include <fmt/core.h>

#include "base/error.h"
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

Graph::Graph() { scopes_.emplace_back(); }

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
    const auto [begin, end] = by_hash_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
      const Node& other = node(it->second);
      if (other.inputs == inputs && same_types(other.outputs, outputs) && op_text(*other.op) == op_text(*op)) {
        return {this, it->second, 0};
      }
    }
  }
  nodes_.push_back({std::move(op), std::move(inputs), std::move(outputs), scope_});
  const NodeId id = size() - 1;
  by_hash_.emplace(hash, id);
  return {this, id, 0};
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

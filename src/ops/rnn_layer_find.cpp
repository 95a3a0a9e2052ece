#include <map>
#include <set>
#include <string>

#include "graph/op.h"
#include "ops/rnn_layer.h"

namespace wende::ops {
namespace {

/// The attributes of an op by name.
class Attributes : public AttributeVisitor {
 public:
  explicit Attributes(const Op& op) { op.attributes(*this); }
  void field(std::string_view name, int64_t value) override {
    numbers_[std::string(name)] = static_cast<double>(value);
  }
  void field(std::string_view name, double value) override { numbers_[std::string(name)] = value; }
  void field(std::string_view name, const std::string& value) override { texts_[std::string(name)] = value; }
  void field(std::string_view, const std::vector<Dim>&) override {}

  double number(const std::string& name) const {
    const auto it = numbers_.find(name);
    return it == numbers_.end() ? 0.0 : it->second;
  }
  bool flag(const std::string& name) const { return number(name) != 0.0; }
  bool is(const std::string& name, const std::string& text) const {
    const auto it = texts_.find(name);
    return it != texts_.end() && it->second == text;
  }

 private:
  std::map<std::string, double> numbers_;
  std::map<std::string, std::string> texts_;
};

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), readers_(static_cast<size_t>(graph.size())) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      std::set<NodeId> read;
      for (const Expr& input : graph.node(id).inputs) read.insert(input.node);
      for (const NodeId node : read) readers_[static_cast<size_t>(node)].push_back(id);
    }
  }

  std::vector<RnnNodes> find() const {
    std::vector<RnnNodes> found;
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const std::string_view name = graph_.node(id).op->name();
      if (name != "lstm" && name != "simple_rnn") continue;
      RnnNodes layer;
      if (!find_layer(id, layer)) continue;
      found.push_back(layer);
      for (const NodeId reader : readers_[static_cast<size_t>(id)]) {
        if (!find_gradient(reader, layer)) continue;
        if (found.back().unit_grad >= 0) found.push_back(layer);  // another gradient: a program has one of them
        found.back() = layer;
      }
    }
    return found;
  }

 private:
  const Node& node(NodeId id) const { return graph_.node(id); }

  bool find_layer(NodeId id, RnnNodes& layer) const {
    const std::vector<Expr>& inputs = node(id).inputs;
    const Attributes attributes(*node(id).op);
    layer.unit = id;
    layer.form = {node(id).op->name() == "lstm", static_cast<int>(attributes.number("direction")),
                  attributes.is("order", "tf"), static_cast<float>(attributes.number("forget_bias"))};
    layer.product = inputs[0].node;
    if (op_text(*node(layer.product).op) != "linear{transpose_w=0,has_bias=1}") return false;
    const std::vector<Expr>& of_product = node(layer.product).inputs;
    layer.x = of_product[0];
    layer.w = of_product[1];
    layer.bias = of_product[2];
    layer.w_re = inputs[1];
    layer.lengths = inputs[2];
    size_t next = 3;
    if (attributes.flag("has_c0")) layer.c0 = inputs[next++];
    if (attributes.flag("has_h0")) layer.h0 = inputs[next++];
    if (layer.x.rank() != 3 || !layer.x.dim(1).is_batch()) return false;
    layer.time = layer.x.dim(0);
    const PaddingRule lengths = node(layer.lengths.node).op->padding();
    return lengths.kind == PaddingRule::Kind::kMask && lengths.time == layer.time;
  }

  /// Is it the gradient of the layer's unit, and do none but products read its dz?
  bool find_gradient(NodeId id, RnnNodes& layer) const {
    const std::string name = std::string(node(layer.unit).op->name()) + "_grad";
    if (node(id).op->name() != name) return false;
    const Attributes attributes(*node(id).op);
    const std::vector<Expr>& inputs = node(id).inputs;
    size_t next = 0;
    layer.dy = attributes.flag("has_dy") ? inputs[next++] : Expr();
    layer.d_last_h = attributes.flag("has_d_last_h") ? inputs[next++] : Expr();
    layer.d_last_c = attributes.flag("has_d_last_c") ? inputs[next++] : Expr();
    const int saved = layer.form.lstm ? 3 : 0;  // gates, or y
    if (inputs[next].node != layer.unit || inputs[next].output != saved) return false;
    layer.unit_grad = id;
    layer.dx = layer.dw = -1;
    for (const NodeId reader : readers_[static_cast<size_t>(id)]) {
      const std::vector<Expr>& read = node(reader).inputs;
      const std::string text = op_text(*node(reader).op);
      if (text == "linear{transpose_w=1,has_bias=0}" && read[0].output == 0 && read[1] == layer.w) {
        layer.dx = reader;
      } else if (text.starts_with("linear_weight_grad{") && read[0] == layer.x && read[1].output == 0) {
        layer.dw = reader;
      }
    }
    return true;
  }

  const Graph& graph_;
  std::vector<std::vector<NodeId>> readers_;
};

}  // namespace

std::vector<RnnNodes> find_rnn_layers(const Graph& graph) { return Finder(graph).find(); }

}  // namespace wende::ops

#include "ops/rnn_layer.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "graph/device_op.h"
#include "ops/recurrent_inputs.h"
#include "tensor/placement.h"

namespace wende::ops {
namespace {

using Memory = std::shared_ptr<cuda::RnnLayer>;

/// What a fused node knows of one of its layers.
struct Part {
  RnnForm form;
  bool has_c0 = false;
  bool has_h0 = false;
  bool has_dy = false;
  bool has_d_last_h = false;
  bool has_d_last_c = false;
  Memory memory;  ///< shared by the forward and the backward node

  void visit(AttributeVisitor& visitor) const {
    visitor.field("lstm", form.lstm);
    visitor.field("direction", form.direction);
    visitor.field("tf_order", form.tf_order);
    visitor.field("forget_bias", static_cast<double>(form.forget_bias));
    visitor.field("has_c0", has_c0);
    visitor.field("has_h0", has_h0);
    visitor.field("has_dy", has_dy);
    visitor.field("has_d_last_h", has_d_last_h);
    visitor.field("has_d_last_c", has_d_last_c);
  }
};

/// One or two layers in one node.
class RnnLayersBase : public DeviceOp {
 public:
  RnnLayersBase(std::vector<Part> parts, Dim time) : parts_(std::move(parts)), time_(std::move(time)) {}
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("time", time_);
    for (const Part& part : parts_) part.visit(visitor);
  }

 protected:
  int count() const { return static_cast<int>(parts_.size()); }
  const Part& part(int i) const { return parts_[static_cast<size_t>(i)]; }

  /// The lengths are the last input; padding of nothing is read, and that of the first outputs is zero.
  PaddingRule rule(int inputs) const {
    return {.kind = PaddingRule::Kind::kRecurrent, .mask = inputs - 1, .zero_outputs = count()};
  }

  /// calls: one for each layer.
  static void run_all(const std::vector<std::function<void()>>& calls, const std::vector<int32_t>& lengths,
                      int64_t frames) {
    if (calls.size() == 2 && cuda::RnnLayer::runs_beside(lengths, frames)) {
      return cuda::run_rnn_layers(calls[0], calls[1]);
    }
    for (const auto& call : calls) call();
  }

  std::vector<Part> parts_;
  Dim time_;
};

/// Inputs: of each layer x, w, bias, w_re, c0 and h0 if there; the lengths. Outputs: all y; of each layer last_h,
/// last_c, and what the backward node reads to run after this one. The latter is 0: what it stands for lies in the
/// layer's own memory.
class RnnLayersOp : public RnnLayersBase {
 public:
  using RnnLayersBase::RnnLayersBase;
  const std::vector<Part>& parts() const { return parts_; }
  std::string_view name() const override { return "rnn_layers"; }
  PaddingRule padding() const override {
    int inputs = 1;
    for (const Part& part : parts_) inputs += 4 + part.has_c0 + part.has_h0;
    return rule(inputs);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    std::vector<ExprType> ys;
    std::vector<ExprType> rest;
    size_t at = 0;
    for (const Part& part : parts_) {
      const std::vector<Dim>& x = inputs[at].dims;
      const Dim& n = inputs[at + 3].dims[0];
      ys.push_back({DType::kFloat32, {x[0], x[1], n}});
      rest.insert(rest.end(), 2, {DType::kFloat32, {x[1], n}});
      rest.push_back({DType::kFloat32, {}});
      at += 4 + part.has_c0 + part.has_h0;
    }
    ys.insert(ys.end(), rest.begin(), rest.end());
    return ys;
  }

  void run(RunContext& context) const override {
    const std::vector<int32_t> lengths = context.binding().lengths(time_);
    InputCursor inputs(context);
    std::vector<RnnForward> layers;
    for (int i = 0; i < count(); ++i) {
      RnnForward& layer = layers.emplace_back();
      layer.x = inputs.next();
      layer.w = inputs.next();
      layer.bias = inputs.next();
      layer.w_re = inputs.next();
      layer.c0 = inputs.next(part(i).has_c0);
      layer.h0 = inputs.next(part(i).has_h0);
      layer.y = context.output(i);
      layer.last_h = wanted_output(context, count() + 3 * i);
      layer.last_c = part(i).form.lstm ? wanted_output(context, count() + 3 * i + 1) : Tensor();
      layer.for_gradients = context.output_wanted(count() + 3 * i + 2);
      layer.host_lengths = lengths;
    }
    const Tensor on_device = inputs.next();
    const cpu::Scratch scratch = scratch_of(context);
    std::vector<std::function<void()>> calls;
    for (int i = 0; i < count(); ++i) {
      RnnForward& layer = layers[static_cast<size_t>(i)];
      layer.lengths = on_device;
      calls.emplace_back([&layer, &scratch, memory = part(i).memory] { memory->forward(layer, scratch); });
    }
    run_all(calls, lengths, layers[0].x.dim(0));
    for (int i = 0; i < count(); ++i) {
      if (layers[static_cast<size_t>(i)].for_gradients) clear(context.output(count() + 3 * i + 2));
    }
  }
};

/// Inputs: of each layer those of dy, d_last_h, d_last_c that are there, x, w, w_re, y, the forward node's last output,
/// c0 and h0 if there; the lengths. Outputs: all dx; of each layer dw, dbias, dw_re, dc0, dh0.
class RnnLayersGradOp : public RnnLayersBase {
 public:
  using RnnLayersBase::RnnLayersBase;
  std::string_view name() const override { return "rnn_layers_grad"; }
  OpTraits traits() const override { return {.skips_unwanted = true}; }
  PaddingRule padding() const override {
    int inputs = 1;
    for (const Part& part : parts_) inputs += grads(part) + 5 + part.has_c0 + part.has_h0;
    return rule(inputs);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    std::vector<ExprType> dxs;
    std::vector<ExprType> rest;
    size_t at = 0;
    for (const Part& part : parts_) {
      at += static_cast<size_t>(grads(part));
      const ExprType& w = inputs[at + 1];
      const ExprType& y = inputs[at + 3];
      dxs.push_back(inputs[at]);
      rest.insert(rest.end(), {w, {DType::kFloat32, {w.dims[1]}}, inputs[at + 2]});
      rest.insert(rest.end(), 2, {DType::kFloat32, {y.dims[1], y.dims[2]}});
      at += 5 + part.has_c0 + part.has_h0;
    }
    dxs.insert(dxs.end(), rest.begin(), rest.end());
    return dxs;
  }

  void run(RunContext& context) const override {
    const std::vector<int32_t> lengths = context.binding().lengths(time_);
    InputCursor inputs(context);
    std::vector<RnnBackward> layers;
    for (int i = 0; i < count(); ++i) layers.push_back(read_layer(i, inputs, context));
    const Tensor on_device = inputs.next();
    const cpu::Scratch scratch = scratch_of(context);
    std::vector<std::function<void()>> calls;
    for (int i = 0; i < count(); ++i) {
      RnnBackward& layer = layers[static_cast<size_t>(i)];
      layer.lengths = on_device;
      layer.host_lengths = lengths;
      calls.emplace_back([&layer, &scratch, memory = part(i).memory] { memory->backward(layer, scratch); });
    }
    run_all(calls, lengths, layers[0].x.dim(0));
  }

 private:
  static int grads(const Part& part) { return part.has_dy + part.has_d_last_h + part.has_d_last_c; }

  RnnBackward read_layer(int i, InputCursor& inputs, RunContext& context) const {
    RnnBackward layer;
    layer.dy = inputs.next(part(i).has_dy);
    layer.d_last_h = inputs.next(part(i).has_d_last_h);
    layer.d_last_c = inputs.next(part(i).has_d_last_c);
    layer.x = inputs.next();
    layer.w = inputs.next();
    layer.w_re = inputs.next();
    layer.y = inputs.next();
    inputs.next();
    layer.c0 = inputs.next(part(i).has_c0);
    layer.h0 = inputs.next(part(i).has_h0);
    const int first = count() + 5 * i;
    layer.dx = wanted_output(context, i);
    layer.dw = wanted_output(context, first);
    layer.dbias = wanted_output(context, first + 1);
    layer.dw_re = wanted_output(context, first + 2);
    layer.dc0 = part(i).has_c0 ? wanted_output(context, first + 3) : Tensor();
    layer.dh0 = part(i).has_h0 ? wanted_output(context, first + 4) : Tensor();
    return layer;
  }
};

/// Makes the nodes for some layers and offers them.
class Offer {
 public:
  Offer(Graph& graph, std::vector<const RnnNodes*> layers) : graph_(graph), layers_(std::move(layers)) {
    for (const RnnNodes* layer : layers_) {
      parts_.push_back({layer->form, layer->c0.defined(), layer->h0.defined(), false, false, false,
                        std::make_shared<cuda::RnnLayer>(layer->form)});
    }
  }

  void make() {
    const ScopeGuard scope(graph_, graph_.scope_name(graph_.node(layers_[0]->unit).scope));
    const Fusion forward = make_forward();
    const bool trains = std::all_of(layers_.begin(), layers_.end(), [](auto* layer) { return layer->unit_grad >= 0; });
    if (trains) graph_.offer_together({forward, make_backward(forward.node)});
    graph_.offer(forward);
  }

 private:
  int count() const { return static_cast<int>(layers_.size()); }

  static void append(std::vector<Expr>& inputs, std::initializer_list<Expr> more) {
    for (const Expr& expr : more) {
      if (expr.defined()) inputs.push_back(expr);
    }
  }

  Fusion make_forward() {
    std::vector<Expr> inputs;
    for (const RnnNodes* l : layers_) append(inputs, {l->x, l->w, l->bias, l->w_re, l->c0, l->h0});
    inputs.push_back(layers_[0]->lengths);
    Fusion fusion;
    fusion.node = graph_.add(std::make_shared<const RnnLayersOp>(parts_, layers_[0]->time), inputs).node;
    // Perhaps a node that was there already, for another gradient: its memory is the one that counts.
    parts_ = dynamic_cast<const RnnLayersOp&>(*graph_.node(fusion.node).op).parts();
    for (int i = 0; i < count(); ++i) {
      const RnnNodes& layer = *layers_[static_cast<size_t>(i)];
      fusion.replaces.insert(fusion.replaces.end(), {layer.product, layer.unit});
      fusion.gives.emplace_back(Expr{&graph_, layer.unit, 0}, i);
      fusion.gives.emplace_back(Expr{&graph_, layer.unit, 1}, count() + 3 * i);
      if (layer.form.lstm) fusion.gives.emplace_back(Expr{&graph_, layer.unit, 2}, count() + 3 * i + 1);
    }
    return fusion;
  }

  Fusion make_backward(NodeId forward) {
    std::vector<Expr> inputs;
    for (int i = 0; i < count(); ++i) {
      const RnnNodes& l = *layers_[static_cast<size_t>(i)];
      Part& part = parts_[static_cast<size_t>(i)];
      part.has_dy = l.dy.defined();
      part.has_d_last_h = l.d_last_h.defined();
      part.has_d_last_c = l.d_last_c.defined();
      append(inputs, {l.dy, l.d_last_h, l.d_last_c, l.x, l.w, l.w_re, Expr{&graph_, forward, i},
                      Expr{&graph_, forward, count() + 3 * i + 2}, l.c0, l.h0});
    }
    inputs.push_back(layers_[0]->lengths);
    Fusion fusion;
    fusion.node = graph_.add(std::make_shared<const RnnLayersGradOp>(parts_, layers_[0]->time), inputs).node;
    for (int i = 0; i < count(); ++i) give_gradients(*layers_[static_cast<size_t>(i)], i, fusion);
    return fusion;
  }

  void give_gradients(const RnnNodes& layer, int i, Fusion& fusion) const {
    const int first = count() + 5 * i;
    const auto give = [&](NodeId node, int output, int given) {
      fusion.gives.emplace_back(Expr{&graph_, node, output}, given);
    };
    fusion.replaces.push_back(layer.unit_grad);
    if (layer.dx >= 0) {
      fusion.replaces.push_back(layer.dx);
      give(layer.dx, 0, i);
    }
    if (layer.dw >= 0) {
      fusion.replaces.push_back(layer.dw);
      give(layer.dw, 0, first);
      if (graph_.node(layer.dw).outputs.size() > 1) give(layer.dw, 1, first + 1);
    }
    give(layer.unit_grad, 1, first + 2);
    if (layer.form.lstm) give(layer.unit_grad, 2, first + 3);
    give(layer.unit_grad, layer.form.lstm ? 3 : 2, first + 4);
  }

  Graph& graph_;
  std::vector<const RnnNodes*> layers_;
  std::vector<Part> parts_;
};

/// Does `node` depend on `source`? Nodes come after what they read.
bool depends(const Graph& graph, NodeId node, NodeId source) {
  std::vector<char> reached(static_cast<size_t>(node) + 1, 0);
  reached[static_cast<size_t>(node)] = 1;
  for (NodeId id = node; id > source; --id) {
    if (reached[static_cast<size_t>(id)] == 0) continue;
    for (const Expr& input : graph.node(id).inputs) reached[static_cast<size_t>(input.node)] = 1;
  }
  return source <= node && reached[static_cast<size_t>(source)] != 0;
}

bool independent(const Graph& graph, NodeId a, NodeId b) { return !depends(graph, std::max(a, b), std::min(a, b)); }

bool make_a_pair(const Graph& graph, const RnnNodes& a, const RnnNodes& b) {
  if (a.form.direction == b.form.direction || a.lengths != b.lengths || (a.unit_grad < 0) != (b.unit_grad < 0)) {
    return false;
  }
  return independent(graph, a.unit, b.unit) && (a.unit_grad < 0 || independent(graph, a.unit_grad, b.unit_grad));
}

}  // namespace

void offer_rnn_layers(Graph& graph) {
  if (!cuda::has_rnn_library()) return;
  const std::vector<RnnNodes> layers = find_rnn_layers(graph);
  std::vector<char> paired(layers.size(), 0);
  for (size_t i = 0; i < layers.size(); ++i) {
    for (size_t k = i + 1; k < layers.size() && paired[i] == 0; ++k) {
      if (paired[k] != 0 || !make_a_pair(graph, layers[i], layers[k])) continue;
      Offer(graph, {&layers[i], &layers[k]}).make();
      paired[i] = paired[k] = 1;
    }
  }
  for (const RnnNodes& layer : layers) Offer(graph, {&layer}).make();
}

}  // namespace wende::ops

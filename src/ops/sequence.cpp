#include "ops/sequence.h"

#include <algorithm>

#include "base/error.h"
#include "graph/device_op.h"
#include "kernels/sequence.h"

namespace wende::ops {

namespace {

/// Lengths of a time dim; a static one is equally long in all sequences. In a beam [B*k], each sequence stands k times.
std::vector<int32_t> lengths_of(const Binding& binding, const Dim& time, int64_t batch) {
  if (time.is_static()) return std::vector<int32_t>(static_cast<size_t>(batch), static_cast<int32_t>(time.size()));
  std::vector<int32_t> lengths = binding.lengths(time);
  const auto count = static_cast<int64_t>(lengths.size());
  if (count == 0 || batch <= count || batch % count != 0) return lengths;
  std::vector<int32_t> repeated;
  for (int64_t b = 0; b < batch; ++b) repeated.push_back(lengths[static_cast<size_t>(b * count / batch)]);
  return repeated;
}

class LengthsOp : public Op {
 public:
  LengthsOp(Dim dim, Dim batch) : dim_(std::move(dim)), batch_(std::move(batch)) {}
  std::string_view name() const override { return "lengths"; }
  OpTraits traits() const override { return {.of_lengths = true}; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kMask, .time = dim_}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("dim", dim_);
    visitor.field("batch", batch_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kInt32, {batch_}}}; }
  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    const std::vector<int32_t> lengths = lengths_of(context.binding(), dim_, out.elements());
    if (static_cast<int64_t>(lengths.size()) != out.elements()) throw internal_error("lengths do not fit the batch");
    std::copy(lengths.begin(), lengths.end(), out.data<int32_t>());
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  Dim dim_;
  Dim batch_;
};

class SequenceMaskOp : public DeviceOp {
 public:
  SequenceMaskOp(Dim batch, Dim time, bool time_major)
      : batch_(std::move(batch)), time_(std::move(time)), time_major_(time_major) {}
  std::string_view name() const override { return "sequence_mask"; }
  OpTraits traits() const override { return {.of_lengths = true}; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kMask, .time = time_}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("batch", batch_);
    visitor.field("time", time_);
    visitor.field("time_major", time_major_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override {
    return {{DType::kBool, time_major_ ? std::vector<Dim>{time_, batch_} : std::vector<Dim>{batch_, time_}}};
  }
  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    WENDE_ON_DEVICE(context.device(), sequence_mask(lengths_of(context.binding(), time_, out.dim(time_major_ ? 1 : 0)),
                                                    time_major_, out));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  Dim batch_;
  Dim time_;
  bool time_major_;
};

class ReverseSequenceOp : public DeviceOp {
 public:
  ReverseSequenceOp(int batch_axis, int time_axis, Dim time)
      : batch_axis_(batch_axis), time_axis_(time_axis), time_(std::move(time)) {}
  std::string_view name() const override { return "reverse_sequence"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("batch_axis", batch_axis_);
    visitor.field("time_axis", time_axis_);
    visitor.field("time", time_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const int rank = static_cast<int>(inputs[0].dims.size());
    if (std::max(batch_axis_, time_axis_) >= rank || batch_axis_ == time_axis_) {
      op_error(name(), "needs a batch and a time axis", inputs);
    }
    return {inputs[0]};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    WENDE_ON_DEVICE(context.device(), reverse_sequence(x, lengths_of(context.binding(), time_, x.dim(batch_axis_)),
                                                       batch_axis_, time_axis_, context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {
        context.graph.add(std::make_shared<const ReverseSequenceOp>(batch_axis_, time_axis_, time_), {context.grad()})};
  }

 private:
  int batch_axis_;
  int time_axis_;
  Dim time_;
};

class PackOp : public DeviceOp {
 public:
  PackOp(Dim batch, Dim time, bool time_major)
      : batch_(std::move(batch)), time_(std::move(time)), time_major_(time_major) {}
  std::string_view name() const override { return "pack"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("batch", batch_);
    visitor.field("time", time_);
    visitor.field("time_major", time_major_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    ExprType out{inputs[0].dtype, {Dim::derived(Dim::Op::kPacked, {batch_, time_})}};
    out.dims.insert(out.dims.end(), inputs[0].dims.begin() + 2, inputs[0].dims.end());
    return {out};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    WENDE_ON_DEVICE(context.device(), pack(x, lengths_of(context.binding(), time_, x.dim(time_major_ ? 1 : 0)),
                                           time_major_, context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {unpack(context.grad(), batch_, time_, time_major_)};
  }

 private:
  Dim batch_;
  Dim time_;
  bool time_major_;
};

class UnpackOp : public DeviceOp {
 public:
  UnpackOp(Dim batch, Dim time, bool time_major)
      : batch_(std::move(batch)), time_(std::move(time)), time_major_(time_major) {}
  std::string_view name() const override { return "unpack"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("batch", batch_);
    visitor.field("time", time_);
    visitor.field("time_major", time_major_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dims.empty()) op_error(name(), "needs [packed,...]", inputs);
    ExprType out{inputs[0].dtype, time_major_ ? std::vector<Dim>{time_, batch_} : std::vector<Dim>{batch_, time_}};
    out.dims.insert(out.dims.end(), inputs[0].dims.begin() + 1, inputs[0].dims.end());
    return {out};
  }
  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    WENDE_ON_DEVICE(
        context.device(),
        unpack(context.input(0), lengths_of(context.binding(), time_, out.dim(time_major_ ? 1 : 0)), time_major_, out));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {context.graph.add(std::make_shared<const PackOp>(batch_, time_, time_major_), {context.grad()})};
  }

 private:
  Dim batch_;
  Dim time_;
  bool time_major_;
};

class PlacesOp : public Op {
 public:
  PlacesOp(bool packed, Dim batch, Dim time) : packed_(packed), batch_(std::move(batch)), time_(std::move(time)) {}
  std::string_view name() const override { return packed_ ? "packed_places" : "unpacked_places"; }
  OpTraits traits() const override { return {.of_lengths = true}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("batch", batch_);
    visitor.field("time", time_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override {
    const Dim packed = Dim::derived(Dim::Op::kPacked, {time_, batch_}, Dim::Kind::kBatch);
    return {{DType::kInt32, packed_ ? std::vector<Dim>{packed} : std::vector<Dim>{time_, batch_}}};
  }
  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    const std::vector<int32_t> lengths = lengths_of(context.binding(), time_, context.binding().size(batch_));
    if (packed_) {
      cpu::packed_places(lengths, context.binding().size(time_), out);
    } else {
      cpu::unpacked_places(lengths, out);
    }
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  bool packed_;
  Dim batch_;
  Dim time_;
};

}  // namespace

Expr lengths(Graph& graph, const Dim& dim, const Dim& batch) {
  return graph.add(std::make_shared<const LengthsOp>(dim, batch), {});
}

Expr sequence_mask(Graph& graph, const Dim& batch, const Dim& time, bool time_major) {
  return graph.add(std::make_shared<const SequenceMaskOp>(batch, time, time_major), {});
}

Expr reverse_sequence(Expr x, int batch_axis, int time_axis) {
  return x.graph->add(std::make_shared<const ReverseSequenceOp>(batch_axis, time_axis, x.dim(time_axis)), {x});
}

Expr pack(Expr x, int batch_axis, int time_axis) {
  if (std::min(batch_axis, time_axis) != 0 || std::max(batch_axis, time_axis) != 1 || x.rank() < 2) {
    op_error("pack", "batch and time must be the first two axes", {x.type()});
  }
  const auto op = std::make_shared<const PackOp>(x.dim(batch_axis), x.dim(time_axis), time_axis == 0);
  return x.graph->add(op, {x});
}

Expr unpack(Expr packed, const Dim& batch, const Dim& time, bool time_major) {
  return packed.graph->add(std::make_shared<const UnpackOp>(batch, time, time_major), {packed});
}

Expr packed_places(Graph& graph, const Dim& batch, const Dim& time) {
  return graph.add(std::make_shared<const PlacesOp>(true, batch, time), {});
}

Expr unpacked_places(Graph& graph, const Dim& batch, const Dim& time) {
  return graph.add(std::make_shared<const PlacesOp>(false, batch, time), {});
}

}  // namespace wende::ops

#include "kernels/edit_distance.h"

#include <algorithm>
#include <utility>

#include "graph/device_op.h"
#include "kernels/bleu.h"
#include "kernels/ctc_decode.h"
#include "kernels/reduce.h"
#include "ops/ctc.h"

namespace wende::ops {

namespace {

/// Inputs: a [B,T] or scores of rank 3 that are decoded, lengths of a, b [B,U], lengths of b. Output: float [B].
class EditDistanceOp : public DeviceOp {
 public:
  bool decode = false;
  bool time_major = false;
  int64_t beam_width = 1;
  bool collapse_labels = false;
  std::vector<int> label_map;

  std::string_view name() const override { return decode ? "ctc_edit_distance" : "edit_distance"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("decode", decode);
    visitor.field("time_major", time_major);
    visitor.field("beam_width", beam_width);
    visitor.field("collapse_labels", collapse_labels);
    visitor.field("label_map", label_map);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const bool types_fit = inputs[0].dims.size() == (decode ? 3u : 2u) && inputs[2].dims.size() == 2 &&
                           inputs[0].dtype == (decode ? DType::kFloat32 : DType::kInt32) &&
                           inputs[2].dtype == DType::kInt32;
    if (!types_fit) op_error(name(), "needs sequences [B,T] of int32, or scores of rank 3 to decode", inputs);
    return {{DType::kFloat32, {inputs[2].dims[0]}}};
  }

  void run(RunContext& context) const override {
    cpu::EditDistances batch;
    batch.a = context.input(0);
    batch.a_lengths = context.input(1);
    batch.b = context.input(2);
    batch.b_lengths = context.input(3);
    batch.time_major = time_major;
    batch.collapse_b = collapse_labels;
    batch.label_map.assign(label_map.begin(), label_map.end());
    batch.out = context.output(0);
    if (decode) {
      if (beam_width > 1) {
        search(context, batch);
      } else {
        best_path(context, batch);
      }
    }
    WENDE_ON_DEVICE(context.device(), edit_distances(batch));
  }

  std::vector<Expr> vjp(const VjpContext&) const override { return std::vector<Expr>(4); }

 private:
  static void best_path(RunContext& context, cpu::EditDistances& batch) {
    const Tensor& scores = context.input(0);
    batch.blank = static_cast<int32_t>(scores.dim(2)) - 1;
    batch.a = context.scratch(DType::kInt32, Shape{scores.dim(0), scores.dim(1)});
    WENDE_ON_DEVICE(context.device(), arg_extremum(true, scores, 2, batch.a));
  }

  void search(RunContext& context, cpu::EditDistances& batch) const {
    const Tensor& scores = context.input(0);
    const int64_t sequences = batch.a_lengths.elements();
    batch.a = context.scratch(DType::kInt32, Shape{sequences, scores.dim(time_major ? 0 : 1)});
    const Tensor lengths = context.scratch(DType::kInt32, Shape{sequences});
    WENDE_ON_DEVICE(context.device(), ctc_decode(scores, context.input(1), time_major, beam_width, batch.a, lengths));
    batch.a_lengths = lengths;
    batch.time_major = false;
  }
};

/// Inputs: hypotheses [B,T], their lengths, references [B,U], their lengths. Output: float [B].
class BleuOp : public DeviceOp {
 public:
  std::string_view name() const override { return "bleu_score"; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dims.size() != 2 || inputs[2].dims.size() != 2) op_error(name(), "needs sequences [B,T]", inputs);
    return {{DType::kFloat32, {inputs[2].dims[0]}}};
  }
  void run(RunContext& context) const override {
    const cpu::BleuBatch batch{context.input(0), context.input(1), context.input(2), context.input(3)};
    WENDE_ON_DEVICE(context.device(), bleu_scores(batch, context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return std::vector<Expr>(4); }
};

}  // namespace

Expr bleu_score(Expr hypothesis, Expr hypothesis_lengths, Expr reference, Expr reference_lengths) {
  return hypothesis.graph->add(std::make_shared<const BleuOp>(),
                               {hypothesis, hypothesis_lengths, reference, reference_lengths});
}

Expr ctc_edit_distance(Expr logits, Expr frame_lengths, Expr labels, Expr label_lengths, bool time_major,
                       int64_t beam_width, bool collapse_labels, std::vector<int> label_map) {
  auto op = std::make_shared<EditDistanceOp>();
  op->decode = true;
  op->time_major = time_major;
  op->beam_width = beam_width;
  op->collapse_labels = collapse_labels;
  op->label_map = std::move(label_map);
  return logits.graph->add(op, {logits, frame_lengths, labels, label_lengths});
}

Expr edit_distance(Expr a, Expr a_lengths, Expr b, Expr b_lengths, std::vector<int> label_map) {
  auto op = std::make_shared<EditDistanceOp>();
  op->label_map = std::move(label_map);
  return a.graph->add(op, {a, a_lengths, b, b_lengths});
}

}  // namespace wende::ops

#include "kernels/edit_distance.h"

#include <algorithm>
#include <utility>

#include "graph/op.h"
#include "kernels/bleu.h"
#include "kernels/ctc_decode.h"
#include "ops/ctc.h"

namespace wende::ops {

namespace {

/// The sequences of labels int32 [B,U].
std::vector<std::vector<int32_t>> sequences(const Tensor& labels, const Tensor& lengths) {
  const int64_t width = labels.dim(1);
  std::vector<std::vector<int32_t>> result;
  for (int64_t b = 0; b < labels.dim(0); ++b) {
    const int32_t* row = labels.data<int32_t>() + b * width;
    result.emplace_back(row, row + std::min<int64_t>(lengths.data<int32_t>()[b], width));
  }
  return result;
}

/// Inputs: a [B,T] or scores of rank 3 that are decoded, lengths of a, b [B,U], lengths of b. Output: float [B].
class EditDistanceOp : public Op {
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
    auto a = decode ? cpu::ctc_decode(context.input(0), context.input(1), time_major, beam_width)
                    : sequences(context.input(0), context.input(1));
    auto b = sequences(context.input(2), context.input(3));
    float* out = context.output(0).data<float>();
    for (size_t i = 0; i < b.size(); ++i) {
      if (collapse_labels) b[i].erase(std::unique(b[i].begin(), b[i].end()), b[i].end());
      map(a[i]);
      map(b[i]);
      out[i] = static_cast<float>(cpu::edit_distance(a[i], b[i]));
    }
  }

  std::vector<Expr> vjp(const VjpContext&) const override { return std::vector<Expr>(4); }

 private:
  void map(std::vector<int32_t>& labels) const {
    for (int32_t& label : labels) {
      if (label >= 0 && static_cast<size_t>(label) < label_map.size()) label = label_map[static_cast<size_t>(label)];
    }
  }
};

/// Inputs: hypotheses [B,T], their lengths, references [B,U], their lengths. Output: float [B].
class BleuOp : public Op {
 public:
  std::string_view name() const override { return "bleu_score"; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dims.size() != 2 || inputs[2].dims.size() != 2) op_error(name(), "needs sequences [B,T]", inputs);
    return {{DType::kFloat32, {inputs[2].dims[0]}}};
  }
  void run(RunContext& context) const override {
    const auto hypotheses = sequences(context.input(0), context.input(1));
    const auto references = sequences(context.input(2), context.input(3));
    for (size_t i = 0; i < references.size(); ++i) {
      context.output(0).data<float>()[i] = static_cast<float>(cpu::bleu_score(references[i], hypotheses[i]));
    }
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

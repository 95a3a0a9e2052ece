#include "graph/padding_analysis.h"

#include <algorithm>
#include <map>

#include "graph/op.h"

namespace wende {

namespace {

class PaddingAnalysis {
 public:
  PaddingAnalysis(const Graph& graph, Program& program)
      : program_(program), zero_(program.values.size(), 0), needed_(program.values.size(), 0) {
    for (const Program::Step& step : program.steps) rules_.push_back(graph.node(step.node).op->padding());
  }

  void run(bool pack) {
    producer_.assign(program_.values.size(), 0);
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      for (const int output : program_.steps[i].outputs) producer_[at(output)] = i;
      find_zero(i);
    }
    for (const int fetched : program_.fetch_values) needed_[at(fetched)] = 1;
    for (size_t i = program_.steps.size(); i-- > 0;) {
      find_needed(i);
      find_skip(i);
    }
    if (pack) find_packed();
  }

 private:
  static size_t at(int value) { return static_cast<size_t>(value); }
  const Dim& dim(int value, size_t axis) const { return program_.dims[at(program_.values[at(value)].dims[axis])]; }
  int time_axis(int value) const {
    const size_t rank = program_.values[at(value)].dims.size();
    for (size_t axis = 0; rank >= 2 && axis < 2; ++axis) {
      const Dim& time = dim(value, axis);
      if (dim(value, 1 - axis).is_batch() && time.is_dynamic() && !time.is_batch() && time.op() != Dim::Op::kPacked) {
        return static_cast<int>(axis);
      }
    }
    return -1;
  }
  /// Two values with the same frames, in whichever order of batch and time.
  bool same_frames(int a, int b) const {
    const int ta = time_axis(a);
    const int tb = time_axis(b);
    return ta >= 0 && tb >= 0 && dim(a, static_cast<size_t>(ta)) == dim(b, static_cast<size_t>(tb)) &&
           dim(a, static_cast<size_t>(1 - ta)) == dim(b, static_cast<size_t>(1 - tb));
  }

  /// Does the op's mask (or lengths) input say where the padding of this value is?
  bool masks(size_t i, int value) const {
    if (rules_[i].mask < 0 || time_axis(value) < 0) return false;
    const int mask = program_.steps[i].inputs[at(rules_[i].mask)];
    if (rules_[i].kind != PaddingRule::Kind::kRecurrent) return zero_[at(mask)] != 0 && same_frames(mask, value);
    const PaddingRule& lengths = rules_[producer_[at(mask)]];
    return lengths.kind == PaddingRule::Kind::kMask &&
           lengths.time == dim(value, static_cast<size_t>(time_axis(value)));
  }

  bool zero_input(size_t i, int input, int output) const {
    const int value = program_.steps[i].inputs[at(input)];
    if (zero_[at(value)] == 0) return false;
    return rules_[producer_[at(value)]].zero || same_frames(value, output);
  }

  void find_zero(size_t i) {
    const Program::Step& step = program_.steps[i];
    const PaddingRule& rule = rules_[i];
    if (rule.zero) zero_[at(step.outputs[0])] = 1;
    for (const int output : step.outputs) {
      if (time_axis(output) < 0) continue;
      const auto is_zero = [&](int input) { return zero_input(i, input, output); };
      if (rule.kind == PaddingRule::Kind::kMask) {
        zero_[at(output)] = rule.time == dim(output, static_cast<size_t>(time_axis(output)));
      } else if (rule.kind == PaddingRule::Kind::kRecurrent) {
        const bool written = output < step.outputs[0] + rule.zero_outputs;  // outputs are numbered one after another
        zero_[at(output)] = written && masks(i, output);
      } else if (rule.kind == PaddingRule::Kind::kFrameWise && rule.zero_every) {
        zero_[at(output)] = 1;
        for (size_t input = 0; input < step.inputs.size(); ++input) {
          zero_[at(output)] = zero_[at(output)] != 0 && is_zero(static_cast<int>(input));
        }
      } else if (rule.kind == PaddingRule::Kind::kFrameWise) {
        zero_[at(output)] =
            std::any_of(rule.zero_any.begin(), rule.zero_any.end(), is_zero) ||
            (!rule.zero_all.empty() && std::all_of(rule.zero_all.begin(), rule.zero_all.end(), is_zero));
      }
    }
  }

  /// A sum over frames to which padding adds nothing: one operand is zero there, and all have the same frames.
  bool sums_frames_only(size_t i) const {
    const Program::Step& step = program_.steps[i];
    if (program_.values[at(step.inputs[0])].dims.size() != 3) return false;
    bool zero = false;
    for (const int input : rules_[i].zero_any) {
      const int value = step.inputs[at(input)];
      if (!same_frames(value, step.inputs[0]) || dim(value, 0) != dim(step.inputs[0], 0)) return false;
      zero = zero || zero_[at(value)] != 0;
    }
    return zero;
  }

  bool needs(size_t i, int input) const {
    const Program::Step& step = program_.steps[i];
    const PaddingRule& rule = rules_[i];
    const int value = step.inputs[at(input)];
    switch (rule.kind) {
      case PaddingRule::Kind::kFrameSum:
        return !sums_frames_only(i);
      case PaddingRule::Kind::kRecurrent:
        return !masks(i, value);
      case PaddingRule::Kind::kFrameWise:
        break;
      default:
        return true;
    }
    if (std::count(rule.masked.begin(), rule.masked.end(), input) > 0 && masks(i, value)) return false;
    return std::any_of(step.outputs.begin(), step.outputs.end(),
                       [&](int output) { return needed_[at(output)] != 0 || !same_frames(value, output); });
  }

  void find_needed(size_t i) {
    const Program::Step& step = program_.steps[i];
    for (size_t input = 0; input < step.inputs.size(); ++input) {
      if (needs(i, static_cast<int>(input))) needed_[at(step.inputs[input])] = 1;
    }
  }

  void find_skip(size_t i) {
    Program::Step& step = program_.steps[i];
    if (!rules_[i].skips || program_.values[at(step.inputs[0])].dims.size() != 3) return;
    const bool frame_wise = rules_[i].kind == PaddingRule::Kind::kFrameWise;
    if (frame_wise ? needed_[at(step.outputs[0])] == 0 && same_frames(step.inputs[0], step.outputs[0])
                   : sums_frames_only(i)) {
      step.frames_of = step.inputs[0];
    }
  }

  /// Can the op do with a layout of this input or output that has no padding?
  bool takes_packed(size_t i, int value) const {
    if (!rules_[i].packs) return false;
    if (rules_[i].kind == PaddingRule::Kind::kRecurrent) return masks(i, value);
    return program_.steps[i].frames_of >= 0 && same_frames(value, program_.steps[i].frames_of);
  }

  void find_packed() {
    std::vector<char> packed(program_.values.size(), 0);
    for (size_t value = 0; value < packed.size(); ++value) {
      const ValuePlace& place = program_.values[value];
      packed[value] = place.kind == ValuePlace::Kind::kArena && place.dims.size() == 3 && needed_[value] == 0 &&
                      takes_packed(producer_[value], static_cast<int>(value));
    }
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      for (const int input : program_.steps[i].inputs) {
        packed[at(input)] = packed[at(input)] != 0 && takes_packed(i, input);
      }
    }
    std::map<std::pair<int, int>, int> axes;
    for (size_t value = 0; value < packed.size(); ++value) {
      ValuePlace& place = program_.values[value];
      if (packed[value] == 0) continue;
      const std::pair<int, int> leading{place.dims[0], place.dims[1]};
      const auto [it, fresh] = axes.emplace(leading, static_cast<int>(program_.packed_axes.size()));
      if (fresh) program_.packed_axes.push_back(leading);
      place.packed = it->second;
    }
  }

  Program& program_;
  std::vector<PaddingRule> rules_;
  std::vector<size_t> producer_;  ///< step by value
  std::vector<char> zero_;        ///< by value: zero in padding
  std::vector<char> needed_;      ///< by value: somebody reads the padding
};

}  // namespace

void find_padding(const Graph& graph, Program& program, bool pack) { PaddingAnalysis(graph, program).run(pack); }

std::vector<int64_t> rows_within(const std::vector<int32_t>& lengths, const Shape& shape, bool time_major) {
  std::vector<int64_t> rows;
  const auto count = static_cast<int64_t>(lengths.size());  // of a beam, all hypotheses are as long
  for (int64_t row = 0; row < shape[0] * shape[1]; ++row) {
    const int64_t outer = row / shape[1];
    const int64_t inner = row % shape[1];
    const size_t sequence = static_cast<size_t>((time_major ? inner : outer) * count / shape[time_major ? 1 : 0]);
    if ((time_major ? outer : inner) < lengths.at(sequence)) {
      rows.push_back(row);
    }
  }
  return rows;
}

int64_t frames_within(const std::vector<int32_t>& lengths, const Shape& shape, bool time_major) {
  const int64_t batch = shape[time_major ? 1 : 0];
  const int64_t time = shape[time_major ? 0 : 1];
  const auto count = static_cast<int64_t>(lengths.size());
  int64_t frames = 0;
  for (int64_t b = 0; b < batch; ++b) {
    frames += std::clamp<int64_t>(lengths.at(static_cast<size_t>(b * count / batch)), 0, time);
  }
  return frames;
}

}  // namespace wende

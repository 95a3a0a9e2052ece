#include "engine/run_outputs.h"

#include <fmt/core.h>

#include <cstring>

#include "layers/axis_order.h"

namespace wende {

namespace {

char axis_letter(const Data& data, int axis) {
  const Dim& dim = data.dims[static_cast<size_t>(axis)];
  if (dim.is_batch()) {
    return 'B';
  }
  if (axis == data.time_axis) {
    return 'T';
  }
  if (axis == data.feature_axis) {
    return 'F';
  }
  return dim.is_dynamic() ? 'D' : 'S';
}

Tensor scalar(double value) { return Tensor::scalar(static_cast<float>(value)); }

/// Zeros in values [B,...] where the index on `axis` is not below the sequence's length.
void clear_padding(const Tensor& values, int axis, const std::vector<int32_t>& lengths) {
  for (int64_t b = 0; b < values.dim(0); ++b) {
    const int64_t begin = std::min<int64_t>(lengths[static_cast<size_t>(b)], values.dim(axis));
    const Tensor padding = values.sliced(0, b, b + 1).sliced(axis, begin, values.dim(axis));
    if (padding.elements() > 0) {
      padding.copy_from(Tensor::zeros(values.dtype(), padding.shape()));
    }
  }
}

/// Zeros in the rows of a batch axis that merge_dims made [B*T,...] and that are padding of T. Other layers' products
/// (time_chunking) are batches of their own.
void clear_merged_padding(const Tensor& values, const Dim& merged, const Binding& binding) {
  const std::vector<Dim>& parts = merged.operands();
  if (!merged.name().ends_with(":merged") || parts.size() != 2 || parts[0].is_batch() == parts[1].is_batch()) {
    return;
  }
  const bool batch_first = parts[0].is_batch();
  const Dim& time = parts[batch_first ? 1 : 0];
  if (time.is_static()) {
    return;
  }
  const std::vector<int32_t> lengths = binding.lengths(time);
  const int64_t frames = binding.size(time);
  const auto batch = static_cast<int64_t>(lengths.size());
  for (int64_t row = 0; row < std::min(values.dim(0), frames * batch); ++row) {
    const int64_t sequence = batch_first ? row / frames : row % batch;
    const int64_t frame = batch_first ? row % frames : row / batch;
    if (frame >= lengths[static_cast<size_t>(sequence)]) {
      const Tensor padded = values.sliced(0, row, row + 1);
      padded.copy_from(Tensor::zeros(values.dtype(), padded.shape()));
    }
  }
}

}  // namespace

/// Of hypotheses [B*beam], those of one sequence are as long as it.
std::vector<int32_t> lengths_of_rows(const Binding& binding, const Dim& time, const Dim& batch) {
  std::vector<int32_t> lengths = binding.lengths(time);
  const bool is_beam = batch.op() == Dim::Op::kMul && batch.operands()[0].is_batch() && batch.operands()[1].is_static();
  if (!is_beam || static_cast<int64_t>(lengths.size()) != binding.size(batch.operands()[0])) {
    return lengths;
  }
  std::vector<int32_t> repeated;
  for (const int32_t length : lengths) {
    repeated.insert(repeated.end(), static_cast<size_t>(batch.operands()[1].size()), length);
  }
  return repeated;
}

ReadableOutput make_readable(const Data& data, const Tensor& values, const Binding& binding, Padding padding) {
  const int batch_axis = data.batch_axis();
  const std::vector<int> order = order_with_first(data.rank(), {batch_axis});
  ReadableOutput output;
  output.values = values.permuted(order).clone();
  for (size_t i = 0; i < order.size(); ++i) {
    output.axes += fmt::format("{}{}", i > 0 ? "," : "", axis_letter(data, order[i]));
    const Dim& dim = data.dims[static_cast<size_t>(order[i])];
    if (batch_axis < 0 || dim.is_batch() || dim.is_static() || dim.op() == Dim::Op::kPacked) {
      continue;
    }
    std::vector<int32_t> lengths = lengths_of_rows(binding, dim, data.dims[static_cast<size_t>(batch_axis)]);
    if (static_cast<int64_t>(lengths.size()) == output.values.dim(0)) {
      if (padding == Padding::kZero) {
        clear_padding(output.values, static_cast<int>(i), lengths);
      }
      output.sizes.emplace_back(static_cast<int>(i), std::move(lengths));
    }
  }
  if (batch_axis >= 0 && padding == Padding::kZero) {
    clear_merged_padding(output.values, data.dims[static_cast<size_t>(batch_axis)], binding);
  }
  return output;
}

void write_output(hdf5::File& file, const std::string& path, const ReadableOutput& output, const NetworkLayer& layer) {
  file.write(path, output.values);
  file.set_attribute(path, "axes", output.axes);
  file.set_attribute(path, "layer_class", layer.class_name);
  file.set_attribute(path, "sparse", static_cast<int64_t>(layer.output.data.sparse()));
  for (const auto& [axis, lengths] : output.sizes) {
    file.set_attribute(path, fmt::format("sizes:{}", axis),
                       Tensor::of<int32_t>(lengths, {static_cast<int64_t>(lengths.size())}));
  }
}

void write_losses(hdf5::File& out, const std::string& mode, const Network& network, const StepReport& report) {
  for (size_t i = 0; i < report.losses.size(); ++i) {
    const NetworkLoss& loss = network.losses()[i];
    const LossReport& values = report.losses[i];
    const std::string path = fmt::format("losses/{}/{}/", mode, loss.name);
    const double norm = 1.0 / values.inv_norm;
    if (loss.value.defined()) {
      out.write(path + "loss", scalar(values.value));
    }
    if (loss.error.defined()) {
      out.write(path + "error", scalar(values.error));
    }
    out.write(path + "norm_factor", scalar(norm));
    if (loss.objective.defined()) {
      out.write(path + "objective", scalar(loss.scale * values.value * (loss.use_normalized ? norm : 1.0)));
    }
  }
  if (!report.losses.empty() || network.objective().defined()) {
    out.write("total/" + mode + "/loss", scalar(report.loss));
    out.write("total/" + mode + "/constraints", scalar(report.constraints));
    out.write("total/" + mode + "/objective", scalar(report.objective()));
  }
}

}  // namespace wende

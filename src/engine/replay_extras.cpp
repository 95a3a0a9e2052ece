#include "engine/replay_extras.h"

#include <fmt/core.h>

#include <cmath>

#include "engine/observers.h"

namespace wende {
namespace {

Tensor stat_tensor(const StatValue& value) {
  const Shape shape = value.is_vector ? Shape{static_cast<int64_t>(value.numbers.size())} : Shape{};
  const auto typed = [&]<class T>(T) {
    return Tensor::of<T>(std::vector<T>(value.numbers.begin(), value.numbers.end()), shape);
  };
  switch (value.type) {
    case StatValue::Type::kInt32:
      return typed(int32_t{});
    case StatValue::Type::kInt64:
      return typed(int64_t{});
    case StatValue::Type::kFloat32:
      return typed(float{});
    default:
      return typed(double{});
  }
}

void write_latest(hdf5::File& out, const std::string& mode, const StatBook& book, const std::string& suffix) {
  for (const auto& [name, value] : book.latest()) {
    const size_t colon = name.rfind(':');
    out.write(fmt::format("stats/{}/{}/{}{}", mode, name.substr(0, colon), name.substr(colon + 1), suffix),
              stat_tensor(value));
  }
}

void write_bytes(hdf5::File& out, const std::string& path, const std::string& bytes) {
  // The files have bytes as numbers: HDF5's unsigned bytes are read as int32 here, and compared by value.
  const std::vector<int32_t> numbers(reinterpret_cast<const unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()) + bytes.size());
  out.write(path, Tensor::of<int32_t>(numbers, Shape{static_cast<int64_t>(numbers.size())}));
}

}  // namespace

void write_stats(hdf5::File& out, const std::string& mode, const Network& network, const StepReport& report,
                 StatBook& book) {
  book.add(network.stats(), report.stats);
  write_latest(out, mode, book, "");
  book.add(network.stats(), report.stats);
  write_latest(out, mode, book, "__step2");
}

void write_summaries(hdf5::File& out, const Network& network, const StepReport& report,
                     const std::vector<Tensor>& values) {
  const std::vector<Sink>& sinks = network.sinks();
  bool images = false;
  for (size_t i = 0; i < sinks.size(); ++i) {
    if (!is_image_sink(sinks[i])) {
      continue;
    }
    images = true;
    for (const SummaryImage& image : summary_images(sinks[i], values[i])) {
      const std::vector<uint8_t> pixels = image_pixels(image.pixels);
      const int64_t height = image.pixels.dim(0);
      const int64_t width = image.pixels.dim(1);
      const int64_t channels = image.pixels.dim(2);
      out.write(
          fmt::format("summaries/{}/pixels", image.tag),
          Tensor::of<int32_t>(std::vector<int32_t>(pixels.begin(), pixels.end()), Shape{height, width, channels}));
      write_bytes(out, fmt::format("summaries/{}/png", image.tag), encode_png(pixels, height, width, channels));
    }
  }
  if (!images || !network.objective().defined()) {
    return;
  }
  const auto scalar = [&](const std::string& tag, double value) {
    out.write(fmt::format("summaries/objective/{}/value", tag), Tensor::scalar(static_cast<float>(value)));
  };
  for (size_t i = 0; i < report.losses.size(); ++i) {
    const std::string name = summary_name(network.losses()[i].name);
    const LossReport& sums = report.losses[i];
    if (network.losses()[i].value.defined()) {
      scalar("loss/loss_" + name, sums.value / sums.inv_norm);
    }
    if (network.losses()[i].error.defined()) {
      scalar("loss/error_" + name, sums.error / sums.inv_norm);
    }
  }
  scalar("loss", report.loss);
  scalar("constraints", report.constraints);
  scalar("objective", report.objective());
}

void write_meta(hdf5::File& out, int64_t step, const std::vector<ops::MetaLoss>& meta, const StepReport& report) {
  for (size_t i = 0; i < report.meta.size(); ++i) {
    const LossReport& loss = report.meta[i];
    out.write(fmt::format("after/{}/meta/cost:{}", step, meta[i].name), Tensor::scalar(static_cast<float>(loss.value)));
    const auto elements = static_cast<int32_t>(std::lround(1.0 / loss.inv_norm));
    out.write(fmt::format("after/{}/meta/loss_norm_factor:{}", step, meta[i].name),
              Tensor::of<int32_t>({elements}, Shape{}));
  }
}

}  // namespace wende

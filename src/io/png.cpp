#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/tfevents.h"

namespace wende {

namespace {

void put_big_endian(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

void put_chunk(std::string& out, const std::string& name, const std::string& data) {
  put_big_endian(out, static_cast<uint32_t>(data.size()));
  const std::string body = name + data;
  out += body;
  const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  put_big_endian(out, static_cast<uint32_t>(sum));
}

char colour_type(int64_t channels) {
  switch (channels) {
    case 1:
      return 0;
    case 3:
      return 2;
    case 4:
      return 6;
    default:
      throw internal_error(fmt::format("an image cannot have {} channels", channels));
  }
}

}  // namespace

std::string encode_png(const std::vector<uint8_t>& pixels, int64_t height, int64_t width, int64_t channels) {
  const auto row_bytes = static_cast<size_t>(width * channels);
  std::string rows;
  for (size_t row = 0; row < static_cast<size_t>(height); ++row) {
    rows.push_back(0);  // filter: none
    rows.append(reinterpret_cast<const char*>(pixels.data()) + row * row_bytes, row_bytes);
  }
  uLongf packed_bytes = ::compressBound(static_cast<uLong>(rows.size()));
  std::string packed(packed_bytes, '\0');
  const auto* plain = reinterpret_cast<const Bytef*>(rows.data());
  if (::compress(reinterpret_cast<Bytef*>(packed.data()), &packed_bytes, plain, static_cast<uLong>(rows.size())) !=
      Z_OK) {
    throw internal_error("zlib cannot compress an image");
  }
  packed.resize(packed_bytes);
  std::string header;
  put_big_endian(header, static_cast<uint32_t>(width));
  put_big_endian(header, static_cast<uint32_t>(height));
  header += {8, colour_type(channels), 0, 0, 0};
  std::string png = "\x89PNG\r\n\x1a\n";
  put_chunk(png, "IHDR", header);
  put_chunk(png, "IDAT", packed);
  put_chunk(png, "IEND", "");
  return png;
}

std::vector<uint8_t> image_pixels(const Tensor& image) {
  const std::vector<float> values = image.to_vector<float>();
  float least = 0;
  float most = 0;
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  constexpr float kAlmostZero = 1e-6f;
  const float size = std::max(-least, most);
  const float scale = size < kAlmostZero ? 0.0f : (least < 0 ? 127.0f : 255.0f) / size;
  const float offset = least < 0 ? 128.0f : 0.0f;
  const auto channels = static_cast<size_t>(image.dim(-1));
  std::vector<uint8_t> pixels(values.size());
  for (size_t i = 0; i < values.size(); i += channels) {
    const auto begin = values.begin() + static_cast<int64_t>(i);
    const bool sound = std::all_of(begin, begin + image.dim(-1), [](float value) { return std::isfinite(value); });
    for (size_t c = 0; c < channels; ++c) {
      const uint8_t bad = c == 0 || c == 3 ? 255 : 0;
      pixels[i + c] = sound ? static_cast<uint8_t>(values[i + c] * scale + offset) : bad;
    }
  }
  return pixels;
}

}  // namespace wende

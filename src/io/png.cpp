#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

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

using Row = std::vector<uint8_t>;

uint8_t paeth(int left, int up, int corner) {
  const int estimate = left + up - corner;
  const int by_left = std::abs(estimate - left);
  const int by_up = std::abs(estimate - up);
  const int by_corner = std::abs(estimate - corner);
  return static_cast<uint8_t>(by_left <= by_up && by_left <= by_corner ? left : by_up <= by_corner ? up : corner);
}

/// A row under one of the five filters of PNG (none, sub, up, average, Paeth).
Row filtered(int filter, const Row& row, const Row& above, size_t pixel_bytes) {
  Row out(row.size());
  for (size_t i = 0; i < row.size(); ++i) {
    const int left = i >= pixel_bytes ? row[i - pixel_bytes] : 0;
    const int corner = i >= pixel_bytes ? above[i - pixel_bytes] : 0;
    const int guess[5] = {0, left, above[i], (left + above[i]) / 2, paeth(left, above[i], corner)};
    out[i] = static_cast<uint8_t>(row[i] - guess[filter]);
  }
  return out;
}

/// The rows, each under the filter that leaves the smallest sum of magnitudes, as libpng chooses.
std::string filtered_rows(const std::vector<uint8_t>& pixels, size_t height, size_t row_bytes, size_t pixel_bytes) {
  std::string rows;
  Row above(row_bytes, 0);
  for (size_t y = 0; y < height; ++y) {
    const auto begin = pixels.begin() + static_cast<std::ptrdiff_t>(y * row_bytes);
    const Row row(begin, begin + static_cast<std::ptrdiff_t>(row_bytes));
    Row best;
    int64_t least = -1;
    char chosen = 0;
    for (int filter = 0; filter < 5; ++filter) {
      Row candidate = filtered(filter, row, above, pixel_bytes);
      int64_t sum = 0;
      for (const uint8_t byte : candidate) {
        sum += byte < 128 ? byte : 256 - byte;
      }
      if (least < 0 || sum < least) {
        least = sum;
        best = std::move(candidate);
        chosen = static_cast<char>(filter);
      }
    }
    rows.push_back(chosen);
    rows.append(best.begin(), best.end());
    above = row;
  }
  return rows;
}

/// zlib with libpng's settings: a window no larger than the image needs, and a header that says so.
std::string packed_rows(const std::string& rows) {
  constexpr size_t kSmallImage = 16384;
  constexpr size_t kLookAhead = 262;
  int window_bits = 15;
  if (rows.size() <= kSmallImage) {
    for (size_t half = 1U << 14; rows.size() + kLookAhead <= half; half >>= 1) {
      --window_bits;
    }
  }
  z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_FILTERED) != Z_OK) {
    throw internal_error("zlib cannot compress an image");
  }
  std::string packed(::deflateBound(&stream, static_cast<uLong>(rows.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rows.data()));
  stream.avail_in = static_cast<uInt>(rows.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = ::deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  if (status != Z_STREAM_END) {
    throw internal_error("zlib cannot compress an image");
  }
  if (rows.size() <= kSmallImage) {
    unsigned info = static_cast<uint8_t>(packed[0]) >> 4;
    while (info > 0 && rows.size() <= (1U << (info + 7))) {
      --info;
    }
    const unsigned method = info << 4 | 8U;
    const unsigned flags = static_cast<uint8_t>(packed[1]) & 0xe0U;
    packed[0] = static_cast<char>(method);
    packed[1] = static_cast<char>(flags + (31 - (method * 256 + flags) % 31) % 31);
  }
  return packed;
}

}  // namespace

/// The bytes are those of libpng, which TensorFlow writes its images with.
std::string encode_png(const std::vector<uint8_t>& pixels, int64_t height, int64_t width, int64_t channels) {
  const std::string packed = packed_rows(filtered_rows(
      pixels, static_cast<size_t>(height), static_cast<size_t>(width * channels), static_cast<size_t>(channels)));
  std::string header;
  put_big_endian(header, static_cast<uint32_t>(width));
  put_big_endian(header, static_cast<uint32_t>(height));
  header += {8, colour_type(channels), 0, 0, 0};
  std::string png = "\x89PNG\r\n\x1a\n";
  put_chunk(png, "IHDR", header);
  constexpr size_t kChunk = 8192;
  for (size_t at = 0; at < packed.size(); at += kChunk) {
    put_chunk(png, "IDAT", packed.substr(at, kChunk));
  }
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

#include "io/tfevents.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstring>

#include "io/atomic_file.h"
#include "io/checkpoint.h"
#include "test_folder.h"

namespace wende {
namespace {

uint32_t masked(const std::string& bytes) {
  const uint32_t crc = crc32c(bytes.data(), bytes.size());
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <class T>
T number_at(const std::string& bytes, size_t where) {
  T value;
  std::memcpy(&value, bytes.data() + where, sizeof(T));
  return value;
}

/// The events of a file, after a check of both sums of each.
std::vector<std::string> events_of(const std::string& path) {
  const std::string bytes = read_file(path);
  std::vector<std::string> events;
  for (size_t at = 0; at < bytes.size();) {
    const auto length = number_at<uint64_t>(bytes, at);
    EXPECT_EQ(number_at<uint32_t>(bytes, at + 8), masked(bytes.substr(at, 8)));
    events.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(number_at<uint32_t>(bytes, at + 12 + length), masked(events.back()));
    at += 16 + length;
  }
  return events;
}

std::string folder() { return test_path("tfevents"); }

TEST(TfEvents, RecordsAreSound) {
  TfEventsWriter writer(folder(), 7);
  writer.scalar("train/loss", 0.5, 7);
  writer.histogram("weights", Tensor::of<float>({-1, 0, 0.5f, 0.5f, NAN}, Shape{5}), 8);
  writer.image("picture", Tensor::of<float>({0, 1, 2, 4}, Shape{2, 2, 1}), 300);
  writer.flush();
  const auto events = events_of(writer.path());
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].substr(9), std::string("\x10\0\x1a\rbrain.Event:2", 17));
  EXPECT_EQ(events[1].substr(9), std::string("\x10\x07\x3a\x02\x08\x01", 6));
  EXPECT_EQ(events[2].substr(9), std::string("\x10\x07\x2a\x13\x0a\x11\x0a\ntrain/loss\x15\0\0\0\x3f", 23));
  EXPECT_EQ(events[4].substr(9, 3), "\x10\xac\x02");
  EXPECT_NE(events[4].find("\x89PNG"), std::string::npos);
  EXPECT_NE(TfEventsWriter(folder()).path(), writer.path());
}

TEST(TfEvents, PixelsAreScaledAsInTensorFlow) {
  EXPECT_EQ(image_pixels(Tensor::of<float>({0, 1, 2, 4}, Shape{2, 2, 1})), (std::vector<uint8_t>{0, 63, 127, 255}));
  EXPECT_EQ(image_pixels(Tensor::of<float>({-2, 0, 1}, Shape{1, 3, 1})), (std::vector<uint8_t>{1, 128, 191}));
  EXPECT_EQ(image_pixels(Tensor::of<float>({0, 0}, Shape{1, 2, 1})), (std::vector<uint8_t>{0, 0}));
  EXPECT_EQ(image_pixels(Tensor::of<float>({NAN, 1, 1}, Shape{1, 1, 3})), (std::vector<uint8_t>{255, 0, 0}));
}

// Row 1 under the filter "sub", rows 2 and 3 under "Paeth": the smallest sums (2, 3, 3). Bytes of libpng: golden case
// s33.
TEST(Png, InflatesToTheFilteredRows) {
  const std::string png = encode_png({1, 2, 3, 4, 5, 6}, 3, 2, 1);
  const size_t data = png.find("IDAT");
  ASSERT_NE(data, std::string::npos);
  std::string rows(9, '?');
  uLongf size = rows.size();
  ASSERT_EQ(::uncompress(reinterpret_cast<Bytef*>(rows.data()), &size, reinterpret_cast<const Bytef*>(&png[data + 4]),
                         static_cast<uLong>(png.size() - data - 4)),
            Z_OK);
  EXPECT_EQ(rows, std::string("\1\1\1\4\2\1\4\2\1", 9));
}

}  // namespace
}  // namespace wende

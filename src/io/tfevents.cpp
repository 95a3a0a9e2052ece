#include "io/tfevents.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/checkpoint.h"

namespace wende {

namespace {

// Protocol buffers, as far as event files need them. Field numbers are those of TensorFlow's event.proto and
// summary.proto.
void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

template <class T>
void put_raw(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

enum WireType : uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_tag(std::string& out, uint64_t field, WireType type) { put_varint(out, field << 3 | type); }

void put_int(std::string& out, uint64_t field, int64_t value) {
  put_tag(out, field, kVarint);
  put_varint(out, static_cast<uint64_t>(value));
}

void put_double(std::string& out, uint64_t field, double value) {
  put_tag(out, field, kFixed64);
  put_raw(out, value);
}

void put_float(std::string& out, uint64_t field, float value) {
  put_tag(out, field, kFixed32);
  put_raw(out, value);
}

void put_bytes(std::string& out, uint64_t field, const std::string& value) {
  put_tag(out, field, kBytes);
  put_varint(out, value.size());
  out += value;
}

void put_doubles(std::string& out, uint64_t field, const std::vector<double>& values) {
  std::string packed;
  for (const double value : values) put_raw(packed, value);
  put_bytes(out, field, packed);
}

uint32_t masked_crc(const std::string& bytes) {
  const uint32_t crc = crc32c(bytes.data(), bytes.size());
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

/// Upper limits of TensorFlow's buckets: steps of 10 % from 1e-12 to 1e20 on both sides of zero.
const std::vector<double>& bucket_limits() {
  static const std::vector<double> limits = [] {
    std::vector<double> positive;
    for (double limit = 1e-12; limit < 1e20; limit *= 1.1) positive.push_back(limit);
    positive.push_back(std::numeric_limits<double>::max());
    std::vector<double> all;
    for (size_t i = positive.size(); i-- > 0;) all.push_back(-positive[i]);
    all.push_back(0);
    all.insert(all.end(), positive.begin(), positive.end());
    return all;
  }();
  return limits;
}

std::vector<double> finite_numbers(const Tensor& tensor) {
  std::vector<double> numbers;
  if (tensor.dtype() == DType::kFloat64) {
    numbers = tensor.to_vector<double>();
  } else {
    const std::vector<float> floats = tensor.to_vector<float>();
    numbers.assign(floats.begin(), floats.end());
  }
  numbers.erase(std::remove_if(numbers.begin(), numbers.end(), [](double x) { return !std::isfinite(x); }),
                numbers.end());
  return numbers;
}

/// Only the used buckets, and one empty one before each gap, so that readers draw the gap as empty.
std::string histogram_proto(const std::vector<double>& numbers) {
  const std::vector<double>& limits = bucket_limits();
  std::vector<double> counts(limits.size(), 0);
  double sum = 0;
  double squares = 0;
  for (const double number : numbers) {
    const auto above = std::upper_bound(limits.begin(), limits.end() - 1, number);
    counts[static_cast<size_t>(above - limits.begin())] += 1;
    sum += number;
    squares += number * number;
  }
  std::vector<double> used_limits;
  std::vector<double> used_counts;
  for (size_t i = 0; i < counts.size(); ++i) {
    const bool before_used = i + 1 < counts.size() && counts[i + 1] > 0;
    if (counts[i] == 0 && !before_used) continue;
    used_limits.push_back(limits[i]);
    used_counts.push_back(counts[i]);
  }
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  std::string proto;
  put_double(proto, 1, numbers.empty() ? 0 : *least);
  put_double(proto, 2, numbers.empty() ? 0 : *most);
  put_double(proto, 3, static_cast<double>(numbers.size()));
  put_double(proto, 4, sum);
  put_double(proto, 5, squares);
  put_doubles(proto, 6, used_limits);
  put_doubles(proto, 7, used_counts);
  return proto;
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string new_path(const std::string& folder) {
  static std::atomic<int> count{0};
  char host[256] = "host";
  ::gethostname(host, sizeof(host) - 1);
  return fmt::format("{}/events.out.tfevents.{:010}.{}.{}.{}", folder, static_cast<int64_t>(wall_time()), host,
                     ::getpid(), count++);
}

}  // namespace

TfEventsWriter::TfEventsWriter(const std::string& folder, int64_t first_step) : path_(new_path(folder)) {
  make_folders(folder);
  file_.reset(std::fopen(path_.c_str(), "wbx"));
  if (!file_) {
    throw Error(status_of_refusal(errno), fmt::format("cannot create '{}': {}", path_, std::strerror(errno)));
  }
  std::string version;
  put_bytes(version, 3, "brain.Event:2");
  write_event(version, 0);
  constexpr int64_t kStart = 1;
  std::string session;
  put_int(session, 1, kStart);
  std::string start;
  put_bytes(start, 7, session);
  write_event(start, first_step);
  flush();
}

void TfEventsWriter::write_event(const std::string& fields, int64_t step) {
  std::string event;
  put_double(event, 1, wall_time());
  put_int(event, 2, step);
  event += fields;
  std::string length;
  put_raw(length, static_cast<uint64_t>(event.size()));
  std::string record = length;
  put_raw(record, masked_crc(length));
  record += event;
  put_raw(record, masked_crc(event));
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size()) {
    throw Error(ExitStatus::kIo, fmt::format("cannot write '{}': {}", path_, std::strerror(errno)));
  }
}

void TfEventsWriter::write_summary(const std::string& value, int64_t step) {
  std::string summary;
  put_bytes(summary, 1, value);
  std::string fields;
  put_bytes(fields, 5, summary);
  write_event(fields, step);
}

void TfEventsWriter::scalar(const std::string& tag, double value, int64_t step) {
  std::string proto;
  put_bytes(proto, 1, tag);
  put_float(proto, 2, static_cast<float>(value));
  write_summary(proto, step);
}

void TfEventsWriter::histogram(const std::string& tag, const Tensor& values, int64_t step) {
  std::string proto;
  put_bytes(proto, 1, tag);
  put_bytes(proto, 5, histogram_proto(finite_numbers(values)));
  write_summary(proto, step);
}

void TfEventsWriter::image(const std::string& tag, const Tensor& image, int64_t step) {
  if (image.rank() != 3) throw internal_error(fmt::format("image of shape {} instead of [H,W,C]", image.shape().str()));
  std::string picture;
  put_int(picture, 1, image.dim(0));
  put_int(picture, 2, image.dim(1));
  put_int(picture, 3, image.dim(2));
  put_bytes(picture, 4, encode_png(image_pixels(image), image.dim(0), image.dim(1), image.dim(2)));
  std::string proto;
  put_bytes(proto, 1, tag);
  put_bytes(proto, 4, picture);
  write_summary(proto, step);
}

void TfEventsWriter::flush() {
  if (std::fflush(file_.get()) != 0) {
    throw Error(ExitStatus::kIo, fmt::format("cannot write '{}': {}", path_, std::strerror(errno)));
  }
}

}  // namespace wende

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/json.h"
#include "io/checkpoint.h"

namespace wende {

namespace {

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kLongestHeader = 100'000'000;

struct TypeName {
  DType dtype;
  const char* name;
};
constexpr std::array<TypeName, 6> kTypeNames{{{DType::kFloat32, "F32"},
                                              {DType::kFloat64, "F64"},
                                              {DType::kInt32, "I32"},
                                              {DType::kInt64, "I64"},
                                              {DType::kBool, "BOOL"},
                                              {DType::kComplex64, "C64"}}};

const char* type_name(DType dtype) {
  for (const TypeName& entry : kTypeNames) {
    if (entry.dtype == dtype) return entry.name;
  }
  throw internal_error("unknown dtype for safetensors");
}

struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  uint64_t begin;
  uint64_t end;
};

[[noreturn]] void damaged(const std::string& file, const std::string& what) {
  throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is no sound safetensors file: {}", file, what));
}

DType parse_type(const std::string& text, const std::string& name, const std::string& file) {
  for (const TypeName& entry : kTypeNames) {
    if (text == entry.name) return entry.dtype;
  }
  damaged(file, fmt::format("tensor '{}' has dtype '{}' (known: F32, F64, I32, I64, BOOL)", name, text));
}

uint64_t parse_offset(const Json& value, const std::string& name, const std::string& file) {
  if (!value.is_int() || value.as_int() < 0) damaged(file, fmt::format("tensor '{}' has a bad offset", name));
  return static_cast<uint64_t>(value.as_int());
}

/// Extent and offsets agree, without overflow.
Entry parse_entry(const std::string& name, const Json& json, const std::string& file) {
  const Json* dtype = json.find("dtype");
  const Json* shape = json.find("shape");
  const Json* offsets = json.find("data_offsets");
  const bool complete = dtype != nullptr && dtype->is_string() && shape != nullptr && shape->is_array() &&
                        offsets != nullptr && offsets->is_array() && offsets->items().size() == 2;
  if (!complete) damaged(file, fmt::format("tensor '{}' lacks dtype, shape or data_offsets", name));
  Entry entry{name, parse_type(dtype->as_string(), name, file), Shape(), 0, 0};
  if (shape->items().size() > kMaxRank) {
    damaged(file, fmt::format("tensor '{}' has {} axes, more than {}", name, shape->items().size(), kMaxRank));
  }
  uint64_t bytes = size_of(entry.dtype);
  for (const Json& size : shape->items()) {
    const bool sound = size.is_int() && size.as_int() >= 0 &&
                       !__builtin_mul_overflow(bytes, static_cast<uint64_t>(size.as_int()), &bytes);
    if (!sound) damaged(file, fmt::format("tensor '{}' has an impossible shape", name));
    entry.shape.push_back(size.as_int());
  }
  entry.begin = parse_offset(offsets->items()[0], name, file);
  entry.end = parse_offset(offsets->items()[1], name, file);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    damaged(file, fmt::format("tensor '{}' needs {} bytes, but its offsets are {} to {}", name, bytes, entry.begin,
                              entry.end));
  }
  return entry;
}

/// Sorted by offset, without gaps or overlaps, filling the data part.
std::vector<Entry> parse_header(std::string_view header, uint64_t data_bytes, const std::string& file) {
  const Json json = Json::parse(header, file);
  if (!json.is_object()) damaged(file, "the header is no JSON object");
  std::vector<Entry> entries;
  for (const auto& [name, value] : json.members()) {
    if (name != "__metadata__") entries.push_back(parse_entry(name, value, file));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  uint64_t position = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != position) {
      damaged(file, fmt::format("tensor '{}' begins at {} instead of {}", entry.name, entry.begin, position));
    }
    position = entry.end;
  }
  if (position != data_bytes) {
    damaged(file, fmt::format("the tensors need {} bytes, the file has {}", position, data_bytes));
  }
  return entries;
}

uint64_t little_endian(const char* bytes) {
  uint64_t value = 0;
  for (size_t i = kLengthBytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

std::string write_safetensors(const std::map<std::string, Tensor>& tensors) {
  // Wide items first, so that every tensor is aligned in a mapped file.
  std::vector<std::pair<std::string, Tensor>> order;
  for (const auto& [name, tensor] : tensors) order.emplace_back(name, tensor.as_contiguous());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return size_of(a.second.dtype()) > size_of(b.second.dtype()); });
  Json header = Json::object();
  uint64_t position = 0;
  for (const auto& [name, tensor] : order) {
    Json shape = Json::array();
    for (const int64_t size : tensor.shape()) shape.push(size);
    Json entry = Json::object();
    entry.set("dtype", type_name(tensor.dtype())).set("shape", std::move(shape));
    entry.set("data_offsets", Json::array().push(position).push(position + tensor.bytes()));
    header.set(name, std::move(entry));
    position += tensor.bytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  std::string bytes;
  bytes.reserve(kLengthBytes + text.size() + position);
  for (size_t i = 0; i < kLengthBytes; ++i) bytes.push_back(static_cast<char>(text.size() >> (8 * i)));
  bytes += text;
  for (const auto& [name, tensor] : order) {
    if (tensor.bytes() > 0) bytes.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  }
  return bytes;
}

std::map<std::string, Tensor> parse_safetensors(const std::string& bytes, const std::string& file) {
  if (bytes.size() < kLengthBytes) damaged(file, fmt::format("it has only {} bytes", bytes.size()));
  const uint64_t length = little_endian(bytes.data());
  if (length > kLongestHeader) damaged(file, fmt::format("a header of {} bytes is longer than allowed", length));
  if (length > bytes.size() - kLengthBytes) {
    damaged(file, fmt::format("truncated: the header has {} bytes, the file {}", length, bytes.size()));
  }
  const std::string_view view(bytes);
  const std::string_view data = view.substr(kLengthBytes + length);
  std::map<std::string, Tensor> tensors;
  for (const Entry& entry : parse_header(view.substr(kLengthBytes, length), data.size(), file)) {
    const Tensor tensor = Tensor::empty(entry.dtype, entry.shape);
    if (tensor.bytes() > 0) std::memcpy(tensor.raw(), data.data() + entry.begin, tensor.bytes());
    if (!tensors.emplace(entry.name, tensor).second) damaged(file, fmt::format("'{}' occurs twice", entry.name));
  }
  return tensors;
}

}  // namespace wende

#include "io/tensor_bundle.h"

#include <fmt/core.h>

#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/checkpoint.h"

namespace wende {

namespace {

constexpr size_t kFooterBytes = 48;
constexpr uint64_t kTableMagic = 0xdb4775248b80fb57ull;
constexpr size_t kBlockTrailerBytes = 5;  ///< type and CRC
constexpr int64_t kMostElements = int64_t{1} << 40;

/// Reads numbers off a piece of a file; never beyond its end.
class Cursor {
 public:
  Cursor(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is no whole TensorFlow checkpoint: {}", file_, what));
  }
  bool done() const { return bytes_.empty(); }
  std::string_view take(uint64_t count) {
    if (count > bytes_.size()) damaged("it ends too early");
    const std::string_view piece = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return piece;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    damaged("a number has no end");
  }
  template <class T>
  T fixed() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  Cursor part(std::string_view bytes) const { return {bytes, file_}; }

 private:
  std::string_view bytes_;
  const std::string& file_;
};

uint32_t unmasked(uint32_t crc) {
  const uint32_t rotated = crc - 0xa282ead8u;
  return (rotated >> 17) | (rotated << 15);
}

/// The contents of the block whose place `handle` gives.
std::string_view block_at(std::string_view table, Cursor& handle) {
  const uint64_t offset = handle.varint();
  const uint64_t size = handle.varint();
  if (offset > table.size() || size > table.size() || offset + size + kBlockTrailerBytes > table.size()) {
    handle.damaged("a block lies behind its end");
  }
  Cursor trailer = handle.part(table.substr(offset + size, kBlockTrailerBytes));
  if (trailer.take(1)[0] != 0) handle.damaged("its index is compressed, which TensorFlow does not do by itself");
  if (unmasked(trailer.fixed<uint32_t>()) != crc32c(table.data() + offset, size + 1)) {
    handle.damaged("the CRC32C of a block is not the one that it says");
  }
  return table.substr(offset, size);
}

/// Calls `use(key, value)` for each entry; keys share their beginning with the one before.
template <class Use>
void each_entry(std::string_view block, const Cursor& place, const Use& use) {
  if (block.size() < sizeof(uint32_t)) place.damaged("a block is too short");
  Cursor tail = place.part(block.substr(block.size() - sizeof(uint32_t)));
  const uint64_t restarts = (uint64_t{tail.fixed<uint32_t>()} + 1) * sizeof(uint32_t);
  if (restarts > block.size()) place.damaged("a block is too short");
  Cursor entries = place.part(block.substr(0, block.size() - restarts));
  std::string key;
  while (!entries.done()) {
    const uint64_t shared = entries.varint();
    const uint64_t more = entries.varint();
    const uint64_t value_size = entries.varint();
    if (shared > key.size()) place.damaged("a name continues a longer one than there is");
    key.resize(shared);
    key += entries.take(more);
    use(key, entries.take(value_size));
  }
}

/// Calls `use(number, value of varint or fixed, bytes)` for each field of a protocol buffer message.
template <class Use>
void each_field(Cursor message, const Use& use) {
  while (!message.done()) {
    const uint64_t tag = message.varint();
    uint64_t number = 0;
    std::string_view bytes;
    switch (tag & 7) {
      case 0:
        number = message.varint();
        break;
      case 1:
        number = message.fixed<uint64_t>();
        break;
      case 2:
        bytes = message.take(message.varint());
        break;
      case 5:
        number = message.fixed<uint32_t>();
        break;
      default:
        message.damaged("a field of an unknown kind");
    }
    use(tag >> 3, number, bytes);
  }
}

std::optional<DType> dtype_of_code(uint64_t code) {
  switch (code) {
    case 1:
      return DType::kFloat32;
    case 2:
      return DType::kFloat64;
    case 3:
      return DType::kInt32;
    case 9:
      return DType::kInt64;
    case 10:
      return DType::kBool;
    default:
      return std::nullopt;
  }
}

Shape shape_of(const Cursor& message) {
  std::vector<int64_t> dims;
  int64_t elements = 1;
  each_field(message, [&](uint64_t field, uint64_t, std::string_view dim) {
    if (field != 2) return;
    int64_t size = 0;
    each_field(message.part(dim), [&](uint64_t inner, uint64_t number, std::string_view) {
      if (inner == 1) size = static_cast<int64_t>(number);
    });
    if (size < 0 || size > kMostElements || (size > 0 && elements > kMostElements / size)) {
      message.damaged("a variable has a size that cannot be");
    }
    elements *= size;
    dims.push_back(size);
  });
  return Shape(dims);
}

/// nullopt: of a type that Wende does not have.
std::optional<BundleEntry> entry_of(const Cursor& message) {
  BundleEntry entry;
  std::optional<DType> dtype;
  each_field(message, [&](uint64_t field, uint64_t number, std::string_view bytes) {
    if (field == 1) dtype = dtype_of_code(number);
    if (field == 2) entry.shape = shape_of(message.part(bytes));
    if (field == 3) entry.shard = static_cast<int64_t>(number);
    if (field == 4) entry.begin = number;
    if (field == 5) entry.bytes = number;
    if (field == 6) entry.crc = static_cast<uint32_t>(number);
    if (field == 7) message.damaged("a variable is stored in slices");
  });
  if (!dtype) return std::nullopt;
  entry.dtype = *dtype;
  if (entry.bytes != static_cast<uint64_t>(entry.shape.elements()) * size_of(entry.dtype)) {
    message.damaged("a variable's shape does not fit its size");
  }
  return entry;
}

}  // namespace

BundleIndex parse_bundle_index(const std::string& bytes, const std::string& file) {
  const std::string_view table = bytes;
  const Cursor place(table, file);
  if (bytes.size() < kFooterBytes) place.damaged("it is too short");
  Cursor magic = place.part(table.substr(table.size() - sizeof(uint64_t)));
  if (magic.fixed<uint64_t>() != kTableMagic) place.damaged("its end is not that of an index");
  Cursor footer = place.part(table.substr(table.size() - kFooterBytes));
  footer.varint();  // the block of metadata, which is empty
  footer.varint();
  BundleIndex index;
  each_entry(block_at(table, footer), place, [&](const std::string&, std::string_view handle_bytes) {
    Cursor handle = place.part(handle_bytes);
    each_entry(block_at(table, handle), place, [&](const std::string& name, std::string_view value) {
      if (!name.empty()) {
        if (const std::optional<BundleEntry> entry = entry_of(place.part(value))) index.entries[name] = *entry;
        return;
      }
      each_field(place.part(value), [&](uint64_t field, uint64_t number, std::string_view) {
        if (field == 1) index.shards = static_cast<int64_t>(number);
        if (field == 2 && number != 0) place.damaged("its numbers are big-endian");
      });
    });
  });
  return index;
}

std::string bundle_prefix(const std::string& path) {
  std::string prefix = path;
  for (const char* ending : {".index", ".meta"}) {
    if (path.ends_with(ending)) prefix = path.substr(0, path.size() - std::string_view(ending).size());
  }
  return std::filesystem::exists(prefix + ".index") ? prefix : "";
}

std::map<std::string, Tensor> load_bundle(const std::string& prefix) {
  const std::string index_file = prefix + ".index";
  const BundleIndex index = parse_bundle_index(read_file(index_file), index_file);
  std::map<int64_t, std::string> shards;
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, entry] : index.entries) {
    const std::string file = fmt::format("{}.data-{:05}-of-{:05}", prefix, entry.shard, index.shards);
    auto shard = shards.find(entry.shard);
    if (shard == shards.end()) shard = shards.emplace(entry.shard, read_file(file)).first;
    const std::string& bytes = shard->second;
    const Cursor place(bytes, file);
    if (entry.begin > bytes.size() || entry.bytes > bytes.size() - entry.begin) {
      place.damaged(fmt::format("it ends before the variable '{}'", name));
    }
    if (unmasked(entry.crc) != crc32c(bytes.data() + entry.begin, entry.bytes)) {
      place.damaged(fmt::format("the CRC32C of the variable '{}' is not the one that {} says", name, index_file));
    }
    const Tensor tensor = Tensor::empty(entry.dtype, entry.shape);
    std::memcpy(tensor.raw(), bytes.data() + entry.begin, entry.bytes);
    tensors.emplace(name, tensor);
  }
  return tensors;
}

}  // namespace wende

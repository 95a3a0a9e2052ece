#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "io/hdf5_handle.h"

namespace wende::hdf5 {

namespace {

/// A number that does not fit into the type asked for stops the reading instead of being clipped.
H5T_conv_ret_t refuse_overflow(H5T_conv_except_t kind, hid_t, hid_t, void*, void*, void*) {
  const bool overflow = kind == H5T_CONV_EXCEPT_RANGE_HI || kind == H5T_CONV_EXCEPT_RANGE_LOW;
  return overflow ? H5T_CONV_ABORT : H5T_CONV_UNHANDLED;
}

hid_t checked_conversion() {
  static const hid_t id = [] {
    const hid_t list = H5Pcreate(H5P_DATASET_XFER);
    H5Pset_type_conv_cb(list, refuse_overflow, nullptr);
    return list;
  }();
  return id;
}

DatasetInfo::Class class_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return DatasetInfo::Class::kFloat;
    case H5T_INTEGER:
    case H5T_ENUM:
      return DatasetInfo::Class::kInt;  // h5py's bool is an enum of bytes
    case H5T_STRING:
      return DatasetInfo::Class::kString;
    default:
      return DatasetInfo::Class::kOther;
  }
}

/// Damaged extents must not make us ask for terabytes: no filter shrinks data more than about a thousandfold.
void check_plausible(uint64_t bytes, const std::string& path, const std::string& dataset) {
  constexpr uint64_t kHarmless = uint64_t{64} << 20;
  constexpr uint64_t kMostCompression = 2000;
  if (bytes <= kHarmless) return;
  std::error_code code;
  const auto file_bytes = std::filesystem::file_size(path, code);
  if (!code && bytes / kMostCompression > file_bytes) {
    fail(ExitStatus::kMalformedInput, path, dataset,
         fmt::format("claims {} bytes, but the file has {}", bytes, file_bytes));
  }
}

/// Refuses data that lie in other files.
void check_layout(hid_t dataset, const std::string& path, const std::string& name) {
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  const bool elsewhere =
      layout == H5D_VIRTUAL || (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation.get()) > 0);
  if (layout < 0 || elsewhere) fail(ExitStatus::kMalformedInput, path, name, "keeps its data in other files");
}

void normalise_bools(const Tensor& tensor) {
  auto* bytes = reinterpret_cast<unsigned char*>(tensor.raw());
  std::transform(bytes, bytes + tensor.elements(), bytes, [](unsigned char byte) { return byte != 0 ? 1 : 0; });
}

Shape shape_of(const std::vector<int64_t>& sizes) { return Shape(sizes); }

Tensor read_selection(hid_t dataset, hid_t memory_space, hid_t file_space, const std::vector<int64_t>& shape,
                      DType dtype, const std::string& path, const std::string& name) {
  Tensor result = Tensor::empty(dtype, shape_of(shape));
  if (result.elements() == 0) return result;
  const hid_t transfer = dtype == DType::kBool ? H5P_DEFAULT : checked_conversion();
  if (H5Dread(dataset, memory_type(dtype), memory_space, file_space, transfer, result.raw()) < 0) {
    fail(ExitStatus::kMalformedInput, path, name, fmt::format("cannot read it as {}", name_of(dtype)));
  }
  if (dtype == DType::kBool) normalise_bools(result);
  return result;
}

void require_numbers(const DatasetInfo& info, const std::string& path, const std::string& name) {
  if (info.cls == DatasetInfo::Class::kFloat || info.cls == DatasetInfo::Class::kInt) return;
  const char* kind = info.cls == DatasetInfo::Class::kString ? "strings" : "something else";
  fail(ExitStatus::kMalformedInput, path, name, fmt::format("holds {} where numbers are needed", kind));
}

}  // namespace

hid_t memory_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return H5T_NATIVE_FLOAT;
    case DType::kFloat64:
      return H5T_NATIVE_DOUBLE;
    case DType::kInt32:
      return H5T_NATIVE_INT32;
    case DType::kInt64:
      return H5T_NATIVE_INT64;
    case DType::kBool:
      return H5T_NATIVE_UINT8;
    case DType::kComplex64:
      return complex_type();
  }
  throw internal_error("unknown dtype for HDF5");
}

int64_t elements_of(const std::vector<int64_t>& shape) {
  int64_t elements = 1;
  for (const int64_t size : shape) elements *= size;
  return elements;
}

std::vector<int64_t> extent_of(hid_t space, const std::string& path, const std::string& object) {
  const H5S_class_t kind = H5Sget_simple_extent_type(space);
  if (kind == H5S_SCALAR) return {};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (kind == H5S_NULL) return {0};
  if (rank < 0 || rank > kMaxRank) {
    fail(ExitStatus::kMalformedInput, path, object, fmt::format("has {} axes, more than {}", rank, kMaxRank));
  }
  hsize_t sizes[H5S_MAX_RANK];
  if (H5Sget_simple_extent_dims(space, sizes, nullptr) != rank) {
    fail(ExitStatus::kMalformedInput, path, object, "cannot read the extent");
  }
  // 2^55 elements of 16 bytes still fit into 64 bits.
  uint64_t product = 1;
  for (int axis = 0; axis < rank; ++axis) {
    if (__builtin_mul_overflow(product, std::max<hsize_t>(sizes[axis], 1), &product) || product > (uint64_t{1} << 55)) {
      fail(ExitStatus::kMalformedInput, path, object, "has an impossible extent");
    }
  }
  return {sizes, sizes + rank};
}

hid_t File::Impl::dataset(const std::string& name) {
  const auto found = datasets.find(name);
  if (found != datasets.end()) return found->second.get();
  constexpr size_t kMostOpen = 256;
  if (datasets.size() >= kMostOpen) datasets.clear();
  Handle handle(H5Dopen2(file.get(), name.c_str(), local_links()), H5Dclose);
  if (!handle.ok()) {
    const bool there = H5Lexists(file.get(), name.c_str(), H5P_DEFAULT) > 0;
    if (!there) library_message();
    fail(ExitStatus::kMalformedInput, path, name, there ? "cannot open the dataset" : "there is no such dataset");
  }
  check_layout(handle.get(), path, name);
  return datasets.emplace(name, std::move(handle)).first->second.get();
}

DatasetInfo File::info(const std::string& dataset) const {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const hid_t id = impl_->dataset(name);
  const Handle type(H5Dget_type(id), H5Tclose);
  const Handle space(H5Dget_space(id), H5Sclose);
  if (!type.ok() || !space.ok()) fail(ExitStatus::kMalformedInput, path(), name, "cannot read type and extent");
  DatasetInfo info;
  info.cls = class_of(type.get());
  info.item_bytes = H5Tget_size(type.get());
  info.shape = extent_of(space.get(), path(), name);
  constexpr size_t kWidestItem = size_t{1} << 24;
  if (info.item_bytes == 0 || info.item_bytes > kWidestItem) {
    fail(ExitStatus::kMalformedInput, path(), name, "has items of an impossible size");
  }
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(elements_of(info.shape)), uint64_t{info.item_bytes}, &bytes)) {
    fail(ExitStatus::kMalformedInput, path(), name, "has an impossible extent");
  }
  check_plausible(bytes, path(), name);
  return info;
}

Tensor File::read(const std::string& dataset, DType dtype) const {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const DatasetInfo about = info(name);
  require_numbers(about, path(), name);
  return read_selection(impl_->dataset(name), H5S_ALL, H5S_ALL, about.shape, dtype, path(), name);
}

Tensor File::read(const std::string& dataset) const {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const DatasetInfo about = info(name);
  const Handle type(H5Dget_type(impl_->dataset(name)), H5Tclose);
  if (H5Tequal(type.get(), complex_type()) > 0) {
    return read_selection(impl_->dataset(name), H5S_ALL, H5S_ALL, about.shape, DType::kComplex64, path(), name);
  }
  require_numbers(about, path(), name);
  if (about.cls == DatasetInfo::Class::kFloat) {
    return read(name, about.item_bytes > sizeof(float) ? DType::kFloat64 : DType::kFloat32);
  }
  const bool is_enum = H5Tget_class(type.get()) == H5T_ENUM;
  const bool is_unsigned = !is_enum && H5Tget_sign(type.get()) == H5T_SGN_NONE;
  if (about.item_bytes == 1 && (is_enum || is_unsigned)) return read(name, DType::kBool);
  const bool wide = about.item_bytes > sizeof(int32_t) || (is_unsigned && about.item_bytes == sizeof(int32_t));
  return read(name, wide ? DType::kInt64 : DType::kInt32);
}

Tensor File::read_rows(const std::string& dataset, DType dtype, int64_t begin, int64_t end) const {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const DatasetInfo about = info(name);
  require_numbers(about, path(), name);
  if (about.shape.empty() || begin < 0 || end < begin || end > about.shape[0]) {
    fail(ExitStatus::kMalformedInput, path(), name,
         fmt::format("has no rows {} to {} (it has {})", begin, end, about.shape.empty() ? 0 : about.shape[0]));
  }
  std::vector<hsize_t> start(about.shape.size(), 0);
  std::vector<hsize_t> count(about.shape.begin(), about.shape.end());
  start[0] = static_cast<hsize_t>(begin);
  count[0] = static_cast<hsize_t>(end - begin);
  std::vector<int64_t> shape = about.shape;
  shape[0] = end - begin;
  const hid_t id = impl_->dataset(name);
  const Handle space(H5Dget_space(id), H5Sclose);
  const Handle memory = space_of(shape);
  if (elements_of(shape) > 0 &&
      H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0) {
    fail(ExitStatus::kMalformedInput, path(), name, "cannot select rows");
  }
  return read_selection(id, memory.get(), space.get(), shape, dtype, path(), name);
}

std::vector<std::string> File::read_strings(const std::string& dataset) const {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const DatasetInfo about = info(name);
  if (about.cls != DatasetInfo::Class::kString) {
    fail(ExitStatus::kMalformedInput, path(), name, "holds numbers where strings are needed");
  }
  const hid_t id = impl_->dataset(name);
  const Handle type(H5Dget_type(id), H5Tclose);
  const Handle space(H5Dget_space(id), H5Sclose);
  const auto read = [&](hid_t memory, void* into) { return H5Dread(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, into); };
  return decode_strings(type.get(), space.get(), elements_of(about.shape), read, path(), name);
}

}  // namespace wende::hdf5

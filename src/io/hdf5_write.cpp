#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "io/hdf5_handle.h"

namespace wende::hdf5 {

namespace {

/// No time stamps: the same content gives the same bytes. Chunks of numbers carry a checksum (fletcher32), which every
/// HDF5 library knows and tests when it reads; of strings only references would be summed.
Handle dataset_creation(const std::vector<int64_t>& chunk, hid_t type) {
  Handle list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_obj_track_times(list.get(), false);
  if (!chunk.empty()) {
    const std::vector<hsize_t> sizes(chunk.begin(), chunk.end());
    H5Pset_chunk(list.get(), static_cast<int>(sizes.size()), sizes.data());
    if (H5Tget_class(type) != H5T_STRING) H5Pset_fletcher32(list.get());
  }
  return list;
}

Handle new_dataset(const File& file, const std::string& name, hid_t type, hid_t space,
                   const std::vector<int64_t>& chunk) {
  const Handle creation = dataset_creation(chunk, type);
  const auto location = static_cast<hid_t>(file.id());
  Handle dataset(H5Dcreate2(location, name.c_str(), type, space, with_groups(), creation.get(), H5P_DEFAULT), H5Dclose);
  if (!dataset.ok()) fail(ExitStatus::kIo, file.path(), name, "cannot make the dataset");
  return dataset;
}

void close_written(Handle dataset, const File& file, const std::string& name) {
  if (!dataset.close()) fail(ExitStatus::kIo, file.path(), name, "cannot write the dataset");
}

std::vector<const char*> pointers_to(const std::vector<std::string>& values) {
  std::vector<const char*> pointers;
  pointers.reserve(values.size());
  for (const std::string& value : values) pointers.push_back(value.c_str());
  return pointers;
}

/// Extends axis 0 by `rows` and writes `data` there.
void append_rows(hid_t dataset, int64_t rows, hid_t type, const void* data, const std::string& path,
                 const std::string& name) {
  if (rows == 0) return;
  hsize_t sizes[H5S_MAX_RANK];
  const Handle before(H5Dget_space(dataset), H5Sclose);
  const int rank = H5Sget_simple_extent_dims(before.get(), sizes, nullptr);
  std::vector<hsize_t> start(static_cast<size_t>(rank), 0);
  start[0] = sizes[0];
  sizes[0] += static_cast<hsize_t>(rows);
  if (H5Dset_extent(dataset, sizes) < 0) fail(ExitStatus::kIo, path, name, "cannot extend the dataset");
  sizes[0] = static_cast<hsize_t>(rows);
  const Handle space(H5Dget_space(dataset), H5Sclose);
  const Handle memory(H5Screate_simple(rank, sizes, nullptr), H5Sclose);
  if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, sizes, nullptr) < 0 ||
      H5Dwrite(dataset, type, memory.get(), space.get(), H5P_DEFAULT, data) < 0) {
    fail(ExitStatus::kIo, path, name, "cannot write to the dataset");
  }
}

Handle space_up_to(const std::vector<int64_t>& shape, const std::vector<int64_t>& most) {
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  std::vector<hsize_t> limits;
  for (const int64_t limit : most) limits.push_back(limit < 0 ? H5S_UNLIMITED : static_cast<hsize_t>(limit));
  return {H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), limits.data()), H5Sclose};
}

/// bool as h5py has it: what other programs read as such.
Handle h5py_bool_type() {
  Handle type(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
  int8_t value = 0;
  for (const char* name : {"FALSE", "TRUE"}) {
    H5Tenum_insert(type.get(), name, &value);
    ++value;
  }
  return type;
}

std::vector<int64_t> sizes_of(const Tensor& tensor) { return {tensor.shape().begin(), tensor.shape().end()}; }

}  // namespace

hid_t complex_type() {
  // Made once and never closed, like the library's own types.
  static const hid_t type = [] {
    const hid_t made = H5Tcreate(H5T_COMPOUND, 2 * sizeof(float));
    H5Tinsert(made, "r", 0, H5T_IEEE_F32LE);
    H5Tinsert(made, "i", sizeof(float), H5T_IEEE_F32LE);
    return made;
  }();
  return type;
}

hid_t file_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return H5T_IEEE_F32LE;
    case DType::kFloat64:
      return H5T_IEEE_F64LE;
    case DType::kInt32:
      return H5T_STD_I32LE;
    case DType::kInt64:
      return H5T_STD_I64LE;
    case DType::kBool:
      return H5T_STD_U8LE;
    case DType::kComplex64:
      return complex_type();
  }
  throw internal_error("unknown dtype for HDF5");
}

Handle variable_string_type(H5T_cset_t cset) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), cset);
  return type;
}

Handle space_of(const std::vector<int64_t>& shape) {
  if (shape.empty()) return {H5Screate(H5S_SCALAR), H5Sclose};
  const std::vector<hsize_t> sizes(shape.begin(), shape.end());
  return {H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr), H5Sclose};
}

void File::write(const std::string& dataset, const Tensor& tensor) {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const Tensor values = tensor.as_contiguous();
  Handle handle = new_dataset(*this, name, file_type(values.dtype()), space_of(sizes_of(values)).get(), {});
  if (values.elements() > 0 &&
      H5Dwrite(handle.get(), memory_type(values.dtype()), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.raw()) < 0) {
    fail(ExitStatus::kIo, path(), name, "cannot write the dataset");
  }
  close_written(std::move(handle), *this, name);
  if (values.dtype() == DType::kBool) set_attribute(name, "was_bool", int64_t{1});
}

void File::write_strings(const std::string& dataset, const std::vector<std::string>& values) {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const Handle type = variable_string_type();
  const Handle space = space_of({static_cast<int64_t>(values.size())});
  Handle handle = new_dataset(*this, name, type.get(), space.get(), {});
  const auto pointers = pointers_to(values);
  if (!values.empty() && H5Dwrite(handle.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()) < 0) {
    fail(ExitStatus::kIo, path(), name, "cannot write the strings");
  }
  close_written(std::move(handle), *this, name);
}

void File::write_string(const std::string& dataset, const std::string& value) {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const Handle type = variable_string_type();
  Handle handle = new_dataset(*this, name, type.get(), space_of({}).get(), {});
  const char* text = value.c_str();
  if (H5Dwrite(handle.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &text) < 0) {
    fail(ExitStatus::kIo, path(), name, "cannot write the string");
  }
  close_written(std::move(handle), *this, name);
}

void File::write_fixed_strings(const std::string& dataset, const std::vector<std::string>& values, size_t width) {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), std::max<size_t>(width, 1));
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  const Handle space = space_of({static_cast<int64_t>(values.size())});
  Handle handle = new_dataset(*this, name, type.get(), space.get(), {});
  std::string bytes(values.size() * std::max<size_t>(width, 1), '\0');
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].size() > width) throw internal_error(fmt::format("'{}' is longer than {}", values[i], width));
    std::memcpy(&bytes[i * width], values[i].data(), values[i].size());
  }
  if (!values.empty() && H5Dwrite(handle.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
    fail(ExitStatus::kIo, path(), name, "cannot write the strings");
  }
  close_written(std::move(handle), *this, name);
}

void File::make_group(const std::string& group) {
  const Lock lock(library_mutex());
  const std::string name = normalised(group);
  if (exists(name)) return;
  const Handle handle(H5Gcreate2(impl_->file.get(), name.c_str(), with_groups(), H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  if (!handle.ok()) fail(ExitStatus::kIo, path(), name, "cannot make the group");
}

void File::create_appendable(const std::string& dataset, DType dtype, const std::vector<int64_t>& inner_shape,
                             const std::vector<int64_t>& chunk) {
  std::vector<int64_t> shape{0};
  shape.insert(shape.end(), inner_shape.begin(), inner_shape.end());
  std::vector<int64_t> most = shape;
  most[0] = -1;
  create_resizable(dataset, dtype, shape, most, chunk);
}

void File::create_resizable(const std::string& dataset, DType dtype, const std::vector<int64_t>& shape,
                            const std::vector<int64_t>& most, const std::vector<int64_t>& chunk) {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const Handle flags = h5py_bool_type();
  const hid_t type = dtype == DType::kBool ? flags.get() : file_type(dtype);
  close_written(new_dataset(*this, name, type, space_up_to(shape, most).get(), chunk), *this, name);
}

void File::create_appendable_strings(const std::string& dataset, int64_t chunk) {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  close_written(new_dataset(*this, name, variable_string_type().get(), space_up_to({0}, {-1}).get(), {chunk}), *this,
                name);
}

void File::append(const std::string& dataset, const Tensor& rows) {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const hid_t id = impl_->dataset(name);
  const Handle space(H5Dget_space(id), H5Sclose);
  const std::vector<int64_t> there = extent_of(space.get(), path(), name);
  const std::vector<int64_t> added = sizes_of(rows);
  const bool fits =
      !there.empty() && there.size() == added.size() && std::equal(there.begin() + 1, there.end(), added.begin() + 1);
  if (!fits) {
    fail(ExitStatus::kIo, path(), name,
         fmt::format("{} cannot be appended to {}", rows.shape().str(), Shape(there).str()));
  }
  const Tensor values = rows.as_contiguous();
  const Handle type(H5Dget_type(id), H5Tclose);
  const bool flags = values.dtype() == DType::kBool && H5Tget_class(type.get()) == H5T_ENUM;
  append_rows(id, values.dim(0), flags ? type.get() : memory_type(values.dtype()), values.raw(), path(), name);
}

void File::append_strings(const std::string& dataset, const std::vector<std::string>& values) {
  const Lock lock(library_mutex());
  const std::string name = normalised(dataset);
  const auto pointers = pointers_to(values);
  append_rows(impl_->dataset(name), static_cast<int64_t>(values.size()), variable_string_type().get(), pointers.data(),
              path(), name);
}

std::vector<int64_t> h5py_chunk(const std::vector<int64_t>& shape, size_t item_bytes) {
  constexpr double kBase = 16 * 1024, kLeast = 8 * 1024, kMost = 1024 * 1024;
  std::vector<int64_t> chunk = shape;
  for (int64_t& size : chunk) size = size == 0 ? 1024 : size;
  const auto items = [&] {
    double product = 1;
    for (const int64_t size : chunk) product *= static_cast<double>(size);
    return product;
  };
  const auto item = static_cast<double>(item_bytes);
  const double wanted = kBase * std::pow(2.0, std::log10(items() * item / kMost));
  const double target = std::clamp(wanted, kLeast, kMost);
  for (size_t axis = 0; items() > 1; axis = (axis + 1) % chunk.size()) {
    const double bytes = items() * item;
    if ((bytes < target || std::abs(bytes - target) / target < 0.5) && bytes < kMost) break;
    chunk[axis] = (chunk[axis] + 1) / 2;
  }
  return chunk;
}

}  // namespace wende::hdf5

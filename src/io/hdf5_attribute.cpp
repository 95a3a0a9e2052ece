#include <fmt/core.h>

#include "io/hdf5_handle.h"

namespace wende::hdf5 {

namespace {

struct Attribute {
  Handle id;
  Handle type;
  Handle space;
  std::vector<int64_t> shape;
  H5T_class_t cls;
};

Attribute open_attribute(const File& file, const std::string& object, const std::string& name) {
  Attribute attribute;
  const auto location = static_cast<hid_t>(file.id());
  const std::string label = object + "@" + name;
  attribute.id = Handle(H5Aopen_by_name(location, object.c_str(), name.c_str(), H5P_DEFAULT, local_links()), H5Aclose);
  if (!attribute.id.ok()) {
    library_message();
    fail(ExitStatus::kMalformedInput, file.path(), object, fmt::format("there is no attribute '{}'", name));
  }
  attribute.type = Handle(H5Aget_type(attribute.id.get()), H5Tclose);
  attribute.space = Handle(H5Aget_space(attribute.id.get()), H5Sclose);
  if (!attribute.type.ok() || !attribute.space.ok()) {
    fail(ExitStatus::kMalformedInput, file.path(), label, "cannot read the attribute's type");
  }
  attribute.cls = H5Tget_class(attribute.type.get());
  attribute.shape = extent_of(attribute.space.get(), file.path(), label);
  constexpr int64_t kMostElements = int64_t{1} << 24;
  if (elements_of(attribute.shape) > kMostElements) {
    fail(ExitStatus::kMalformedInput, file.path(), label, "is an attribute of an impossible size");
  }
  return attribute;
}

template <class T>
std::vector<T> read_numbers(const File& file, const std::string& object, const std::string& name, DType dtype) {
  const Attribute attribute = open_attribute(file, object, name);
  const bool whole = attribute.cls == H5T_INTEGER || attribute.cls == H5T_ENUM;
  if (!whole && !(attribute.cls == H5T_FLOAT && dtype == DType::kFloat64)) {
    fail(ExitStatus::kMalformedInput, file.path(), object,
         fmt::format("attribute '{}' is no {}", name, dtype == DType::kFloat64 ? "number" : "integer"));
  }
  std::vector<T> values(static_cast<size_t>(elements_of(attribute.shape)));
  if (!values.empty() && H5Aread(attribute.id.get(), memory_type(dtype), values.data()) < 0) {
    fail(ExitStatus::kMalformedInput, file.path(), object, fmt::format("cannot read attribute '{}'", name));
  }
  return values;
}

template <class T>
T single(const File& file, const std::string& object, const std::string& name, const std::vector<T>& values) {
  if (values.size() == 1) return values[0];
  fail(ExitStatus::kMalformedInput, file.path(), object,
       fmt::format("attribute '{}' has {} values where one is needed", name, values.size()));
}

void write_attribute(const File& file, const std::string& object, const std::string& name, hid_t stored, hid_t memory,
                     hid_t space, const void* data) {
  const auto location = static_cast<hid_t>(file.id());
  if (H5Aexists_by_name(location, object.c_str(), name.c_str(), H5P_DEFAULT) > 0) {
    H5Adelete_by_name(location, object.c_str(), name.c_str(), H5P_DEFAULT);
  }
  const Handle attribute(
      H5Acreate_by_name(location, object.c_str(), name.c_str(), stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
      H5Aclose);
  if (!attribute.ok() || (data != nullptr && H5Awrite(attribute.get(), memory, data) < 0)) {
    fail(ExitStatus::kIo, file.path(), object, fmt::format("cannot write attribute '{}'", name));
  }
}

}  // namespace

bool File::has_attribute(const std::string& object, const std::string& name) const {
  const Lock lock(library_mutex());
  const std::string where = normalised(object);
  if (!exists(where)) return false;
  return H5Aexists_by_name(impl_->file.get(), where.c_str(), name.c_str(), local_links()) > 0;
}

int64_t File::int_attribute(const std::string& object, const std::string& name) const {
  return single(*this, object, name, ints_attribute(object, name));
}

double File::float_attribute(const std::string& object, const std::string& name) const {
  const Lock lock(library_mutex());
  return single(*this, object, name, read_numbers<double>(*this, normalised(object), name, DType::kFloat64));
}

std::string File::string_attribute(const std::string& object, const std::string& name) const {
  const Lock lock(library_mutex());
  const std::string where = normalised(object);
  const Attribute attribute = open_attribute(*this, where, name);
  if (attribute.cls != H5T_STRING) {
    fail(ExitStatus::kMalformedInput, path(), where, fmt::format("attribute '{}' is no string", name));
  }
  const auto read = [&](hid_t memory, void* into) { return H5Aread(attribute.id.get(), memory, into); };
  return single(*this, where, name,
                decode_strings(attribute.type.get(), attribute.space.get(), elements_of(attribute.shape), read, path(),
                               where + "@" + name));
}

std::vector<int64_t> File::ints_attribute(const std::string& object, const std::string& name) const {
  const Lock lock(library_mutex());
  return read_numbers<int64_t>(*this, normalised(object), name, DType::kInt64);
}

void File::set_attribute(const std::string& object, const std::string& name, int64_t value) {
  const Lock lock(library_mutex());
  write_attribute(*this, normalised(object), name, H5T_STD_I64LE, H5T_NATIVE_INT64, space_of({}).get(), &value);
}

void File::set_attribute(const std::string& object, const std::string& name, double value) {
  const Lock lock(library_mutex());
  write_attribute(*this, normalised(object), name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, space_of({}).get(), &value);
}

void File::set_attribute(const std::string& object, const std::string& name, const std::string& value) {
  const Lock lock(library_mutex());
  const Handle type = variable_string_type();
  const char* text = value.c_str();
  write_attribute(*this, normalised(object), name, type.get(), type.get(), space_of({}).get(), &text);
}

void File::set_attribute(const std::string& object, const std::string& name, const std::vector<int64_t>& values) {
  const Lock lock(library_mutex());
  const Handle space = space_of({static_cast<int64_t>(values.size())});
  write_attribute(*this, normalised(object), name, H5T_STD_I64LE, H5T_NATIVE_INT64, space.get(),
                  values.empty() ? nullptr : values.data());
}

void File::set_attribute(const std::string& object, const std::string& name, const Tensor& values) {
  const Lock lock(library_mutex());
  const Tensor numbers = values.as_contiguous();
  const Handle space = space_of({numbers.shape().begin(), numbers.shape().end()});
  write_attribute(*this, normalised(object), name, file_type(numbers.dtype()), memory_type(numbers.dtype()),
                  space.get(), numbers.elements() == 0 ? nullptr : numbers.raw());
}

}  // namespace wende::hdf5

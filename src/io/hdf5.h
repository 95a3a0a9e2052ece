#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace wende::hdf5 {

/// Type and extent of a dataset, checked before any allocation.
struct DatasetInfo {
  enum class Class { kFloat, kInt, kString, kOther };
  Class cls = Class::kOther;
  size_t item_bytes = 0;
  std::vector<int64_t> shape;  ///< rank <= kMaxRank
};

/// RAII over the HDF5 C API. Every call is checked; failures throw Error with file, object, and the library's message:
/// absent file 66, not HDF5 / truncated / not closed by its writer 65, cannot create 73, failing write 74.
class File {
 public:
  static File open(const std::string& path);           ///< read only
  static File create(const std::string& path);         ///< truncates
  static File open_writable(const std::string& path);  ///< an existing file, to append to
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File();
  void close();  ///< checked; the destructor is silent
  const std::string& path() const;

  bool exists(const std::string& object) const;
  std::vector<std::string> children(const std::string& group) const;  ///< names, sorted
  bool is_group(const std::string& object) const;
  /// Every dataset below a group, as full paths without leading "/".
  std::vector<std::string> datasets_below(const std::string& group) const;

  DatasetInfo info(const std::string& dataset) const;
  /// Whole dataset as the dtype asked (HDF5 converts).
  Tensor read(const std::string& dataset, DType dtype) const;
  /// In its own dtype: floats -> float32/float64, ints -> int32/int64, uint8 -> kBool, {r, i} -> complex64.
  Tensor read(const std::string& dataset) const;
  /// Rows [begin, end) of axis 0.
  Tensor read_rows(const std::string& dataset, DType dtype, int64_t begin, int64_t end) const;
  std::vector<std::string> read_strings(const std::string& dataset) const;  ///< vlen or fixed; scalar gives one

  /// Groups on the way are made. scalar tensors (rank 0) become scalar datasets.
  void write(const std::string& dataset, const Tensor& tensor);
  void write_strings(const std::string& dataset, const std::vector<std::string>& values);  ///< vlen UTF-8 [N]
  void write_string(const std::string& dataset, const std::string& value);                 ///< scalar, vlen UTF-8
  void write_fixed_strings(const std::string& dataset, const std::vector<std::string>& values, size_t width);
  void make_group(const std::string& group);

  bool has_attribute(const std::string& object, const std::string& name) const;
  int64_t int_attribute(const std::string& object, const std::string& name) const;
  double float_attribute(const std::string& object, const std::string& name) const;
  std::string string_attribute(const std::string& object, const std::string& name) const;
  std::vector<int64_t> ints_attribute(const std::string& object, const std::string& name) const;  ///< scalar gives one
  void set_attribute(const std::string& object, const std::string& name, int64_t value);
  void set_attribute(const std::string& object, const std::string& name, int value) {
    set_attribute(object, name, int64_t{value});
  }
  void set_attribute(const std::string& object, const std::string& name, const char* value) {
    set_attribute(object, name, std::string(value));
  }
  void set_attribute(const std::string& object, const std::string& name, double value);
  void set_attribute(const std::string& object, const std::string& name, const std::string& value);
  void set_attribute(const std::string& object, const std::string& name, const std::vector<int64_t>& values);
  void set_attribute(const std::string& object, const std::string& name, const Tensor& values);

  /// Resizable datasets, for writers that append: created with chunks; those of numbers with checksums.
  void create_appendable(const std::string& dataset, DType dtype, const std::vector<int64_t>& inner_shape,
                         const std::vector<int64_t>& chunk);
  /// The same with `shape` to begin with; -1 in `most` = no limit.
  void create_resizable(const std::string& dataset, DType dtype, const std::vector<int64_t>& shape,
                        const std::vector<int64_t>& most, const std::vector<int64_t>& chunk);
  void create_appendable_strings(const std::string& dataset, int64_t chunk);
  void append(const std::string& dataset, const Tensor& rows);
  void append_strings(const std::string& dataset, const std::vector<std::string>& values);

  int64_t id() const;  ///< hid_t

 private:
  struct Impl;
  explicit File(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The chunk shape that h5py picks by itself (0 in `shape` counts as 1024).
std::vector<int64_t> h5py_chunk(const std::vector<int64_t>& shape, size_t item_bytes);

}  // namespace wende::hdf5

#pragma once

#include <hdf5.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/error.h"
#include "io/hdf5.h"

namespace wende::hdf5 {

/// Debian's serial HDF5 is not thread-safe: every public call of File holds this while it is inside the library.
std::recursive_mutex& library_mutex();
/// Before any other call of the library.
void prepare_library();
using Lock = std::lock_guard<std::recursive_mutex>;

/// Owner of one HDF5 identifier.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  /// False if the library could not write what it still held: nothing else tells.
  bool close() {
    const hid_t id = std::exchange(id_, -1);
    return id < 0 || close_(id) >= 0;
  }
  hid_t get() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

struct File::Impl {
  std::string path;
  bool writable = false;
  Handle file;
  /// Datasets stay open, since data sets read thousands of row ranges from the same few.
  std::map<std::string, Handle> datasets;

  hid_t dataset(const std::string& name);
};

/// The library's innermost messages, "; " between them; clears its error stack.
std::string library_message();
/// "'file.hdf': 'inputs': what (library's message)".
[[noreturn]] void fail(ExitStatus status, const std::string& path, const std::string& object, const std::string& what);

/// Without leading slashes; "/" for the root.
std::string normalised(const std::string& object);
/// Link access that refuses links into other files.
hid_t local_links();
/// Makes the groups on the way.
hid_t with_groups();

hid_t memory_type(DType dtype);  ///< kBool: unsigned bytes
hid_t file_type(DType dtype);    ///< little-endian
hid_t complex_type();            ///< {r, i} of float32, as h5py writes complex64
Handle variable_string_type(H5T_cset_t cset = H5T_CSET_UTF8);
Handle space_of(const std::vector<int64_t>& shape);  ///< scalar for rank 0
/// Extent with all checks (rank, overflow); 65 otherwise.
std::vector<int64_t> extent_of(hid_t space, const std::string& path, const std::string& object);
/// Elements of a shape whose product was checked by extent_of.
int64_t elements_of(const std::vector<int64_t>& shape);
/// Strings in a dataset or attribute of string type, in memory order; `read(type, buffer)` does the reading.
template <class Read>
std::vector<std::string> decode_strings(hid_t type, hid_t space, int64_t count, Read&& read, const std::string& path,
                                        const std::string& object);

}  // namespace wende::hdf5

#include "io/hdf5_strings.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "io/hdf5_handle.h"

namespace wende::hdf5 {

namespace {

herr_t refuse_external_link(const char*, const char*, const char*, const char*, unsigned*, hid_t, void*) { return -1; }

/// Once per process: no printing by the library, no plug-in filters (code named by a data file).
herr_t collect_message(unsigned, const H5E_error2_t* error, void* into) {
  auto* text = static_cast<std::string*>(into);
  if (error->desc == nullptr || std::strlen(error->desc) == 0) return 0;
  constexpr size_t kEnough = 400;
  if (text->size() < kEnough) *text += (text->empty() ? "" : "; ") + std::string(error->desc);
  return 0;
}

/// Keep the result until the error is reported: any call of the library, closing too, clears its messages.
Handle strong_close() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  return access;
}

void check_readable(const std::string& path) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
    throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is a directory, not an HDF5 file", path));
  }
  if (::access(path.c_str(), R_OK) == 0) return;
  const bool absent = errno == ENOENT || errno == ENOTDIR;
  throw Error(absent ? ExitStatus::kMissingInput : ExitStatus::kIo,
              fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
}

[[noreturn]] void fail_to_open(const std::string& path) {
  const std::string message = library_message();
  const auto says = [&](const char* part) { return message.find(part) != std::string::npos; };
  if (says("lock file")) {
    throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is in use by another process ({})", path, message))
        .hint("wait until it is written; on file systems without locks set HDF5_USE_FILE_LOCKING=FALSE");
  }
  if (says("already open for")) {
    throw Error(ExitStatus::kMalformedInput,
                fmt::format("'{}' was left open by its writer, which did not end regularly ({})", path, message))
        .hint("if no process writes it any more, 'h5clear -s FILE' may make it readable; else write it again");
  }
  if (says("truncated")) {
    throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is truncated ({})", path, message))
        .hint("copy or write it again; its writer was stopped, or the disk was full");
  }
  throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is damaged ({})", path, message))
      .hint("its writer may have been stopped before it closed the file; write it again");
}

}  // namespace

void prepare_library() {
  static const bool done = [] {
    // Every file is closed by its owner. The library's own tidying up at exit crashes after a close that failed.
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
    return true;
  }();
  (void)done;
}

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

std::string library_message() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect_message, &text);
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  H5Eclear2(H5E_DEFAULT);
  return text;
}

void fail(ExitStatus status, const std::string& path, const std::string& object, const std::string& what) {
  const std::string message = library_message();
  const std::string name = object.empty() ? "" : fmt::format(": '{}'", object);
  throw Error(status, fmt::format("'{}'{}: {}{}", path, name, what, message.empty() ? "" : " (" + message + ")"));
}

std::string normalised(const std::string& object) {
  const size_t begin = object.find_first_not_of('/');
  if (begin == std::string::npos) return "/";
  return object.substr(begin, object.find_last_not_of('/') + 1 - begin);
}

hid_t local_links() {
  static const hid_t id = [] {
    const hid_t list = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_elink_cb(list, refuse_external_link, nullptr);
    return list;
  }();
  return id;
}

hid_t with_groups() {
  static const hid_t id = [] {
    const hid_t list = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(list, 1);
    H5Pset_char_encoding(list, H5T_CSET_UTF8);
    return list;
  }();
  return id;
}

File::File(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
File::File(File&&) noexcept = default;

File& File::operator=(File&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}

File::~File() {
  const Lock lock(library_mutex());
  impl_.reset();
}

File File::open(const std::string& path) {
  const Lock lock(library_mutex());
  prepare_library();
  check_readable(path);
  if (H5Fis_hdf5(path.c_str()) <= 0) {
    H5Eclear2(H5E_DEFAULT);
    throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is not an HDF5 file", path));
  }
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  const Handle access = strong_close();
  impl->file = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!impl->file.ok()) fail_to_open(path);
  return File(std::move(impl));
}

File File::open_writable(const std::string& path) {
  const Lock lock(library_mutex());
  File::open(path).close();  // the same checks and messages
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->writable = true;
  const Handle access = strong_close();
  impl->file = Handle(H5Fopen(path.c_str(), H5F_ACC_RDWR, access.get()), H5Fclose);
  if (!impl->file.ok()) fail(ExitStatus::kCannotCreate, path, "", "cannot open the file for writing");
  return File(std::move(impl));
}

File File::create(const std::string& path) {
  const Lock lock(library_mutex());
  prepare_library();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->writable = true;
  const Handle access = strong_close();
  impl->file = Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
  if (!impl->file.ok()) fail(ExitStatus::kCannotCreate, path, "", "cannot create the file");
  return File(std::move(impl));
}

void File::close() {
  const Lock lock(library_mutex());
  if (impl_ == nullptr) return;
  const auto impl = std::move(impl_);
  // A full disk shows in the flush, or while datasets are closed; H5Fclose after it may look fine.
  bool good = !impl->writable || H5Fflush(impl->file.get(), H5F_SCOPE_GLOBAL) >= 0;
  for (auto& [name, dataset] : impl->datasets) good = dataset.close() && good;
  impl->datasets.clear();
  if (!good) fail(ExitStatus::kIo, impl->path, "", "cannot write the file");
  if (!impl->file.close()) fail(ExitStatus::kIo, impl->path, "", "cannot close the file");
}

const std::string& File::path() const { return impl_->path; }
int64_t File::id() const { return impl_->file.get(); }

bool File::exists(const std::string& object) const {
  const Lock lock(library_mutex());
  const std::string name = normalised(object);
  if (name == "/") return true;
  for (size_t end = name.find('/'); true; end = name.find('/', end + 1)) {
    const std::string prefix = name.substr(0, end);
    const bool there = H5Lexists(impl_->file.get(), prefix.c_str(), H5P_DEFAULT) > 0 &&
                       H5Oexists_by_name(impl_->file.get(), prefix.c_str(), local_links()) > 0;
    H5Eclear2(H5E_DEFAULT);
    if (!there) return false;
    if (end == std::string::npos) return true;
  }
}

bool File::is_group(const std::string& object) const {
  const Lock lock(library_mutex());
  if (!exists(object)) return false;
  H5O_info_t info;
  const std::string name = normalised(object);
  if (H5Oget_info_by_name2(impl_->file.get(), name.c_str(), &info, H5O_INFO_BASIC, local_links()) < 0) {
    fail(ExitStatus::kMalformedInput, path(), name, "cannot read the object");
  }
  return info.type == H5O_TYPE_GROUP;
}

std::vector<std::string> File::children(const std::string& group) const {
  const Lock lock(library_mutex());
  const std::string name = normalised(group);
  if (!is_group(name)) fail(ExitStatus::kMalformedInput, path(), name, "there is no such group");
  std::vector<std::string> names;
  const auto keep = [](hid_t, const char* link, const H5L_info_t*, void* into) -> herr_t {
    static_cast<std::vector<std::string>*>(into)->emplace_back(link);
    return 0;
  };
  if (H5Literate_by_name(impl_->file.get(), name.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, keep, &names,
                         local_links()) < 0) {
    fail(ExitStatus::kMalformedInput, path(), name, "cannot list the group");
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> File::datasets_below(const std::string& group) const {
  constexpr int kDeepest = 64;
  const std::string root = normalised(group);
  if (std::count(root.begin(), root.end(), '/') > kDeepest) {
    fail(ExitStatus::kMalformedInput, path(), root, "groups are nested too deeply");
  }
  std::vector<std::string> found;
  for (const std::string& child : children(root)) {
    const std::string name = root == "/" ? child : root + "/" + child;
    if (!exists(name)) continue;  // a link to nowhere
    if (is_group(name)) {
      const auto below = datasets_below(name);
      found.insert(found.end(), below.begin(), below.end());
    } else {
      found.push_back(name);
    }
  }
  return found;
}

}  // namespace wende::hdf5

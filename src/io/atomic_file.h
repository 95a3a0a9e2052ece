#pragma once

#include <functional>
#include <string>

#include "base/error.h"

namespace wende {

/// For an errno with which a file cannot be made: kIo where the file system takes nothing (full, quota, read-only,
/// broken), else kCannotCreate (permissions, names).
ExitStatus status_of_refusal(int error);

/// Writes `path` so that readers see the old file or the whole new one: temporary in the same folder, fsync, rename,
/// fsync of the folder. Throws kIo with the system's message (old file untouched, temporary removed).
void write_file_atomically(const std::string& path, const std::string& bytes);
/// The same for a file that `write` makes under the temporary name (HDF5).
void write_file_atomically(const std::string& path, const std::function<void(const std::string& temporary)>& write);
std::string read_file(const std::string& path);  ///< absent 66, unreadable 74
void make_folders(const std::string& path);      ///< as mkdir -p; 73 or 74 with the system's message
/// Fails early with 73 or 74 if a file cannot be made in the folder of `path` (which is created): writes and removes a
/// probe.
void check_writable(const std::string& path);

/// Pieces of the above, for files and folders that are built up slowly. 74 with the system's message.
void sync_to_disk(const std::string& path);                        ///< fsync of a file or a folder
void rename_path(const std::string& from, const std::string& to);  ///< and fsync of the folder of `to`
std::string folder_of(const std::string& path);                    ///< "." if there is none
std::string temporary_name(const std::string& path);               ///< in the same folder: "<path>.tmp.<pid>"

}  // namespace wende

#pragma once

#include <cstring>
#include <string>
#include <vector>

namespace wende::hdf5 {

inline std::string fixed_string(const char* bytes, size_t width, H5T_str_t padding) {
  size_t length = strnlen(bytes, width);
  if (padding == H5T_STR_SPACEPAD) {
    while (length > 0 && bytes[length - 1] == ' ') --length;
  }
  return {bytes, length};
}

template <class Read>
std::vector<std::string> decode_strings(hid_t type, hid_t space, int64_t count, Read&& read, const std::string& path,
                                        const std::string& object) {
  std::vector<std::string> result;
  if (count == 0) return result;
  const auto n = static_cast<size_t>(count);
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> pointers(n, nullptr);
    const Handle memory = variable_string_type(H5Tget_cset(type));
    if (read(memory.get(), pointers.data()) < 0) {
      fail(ExitStatus::kMalformedInput, path, object, "cannot read the strings");
    }
    result.reserve(n);
    for (const char* text : pointers) result.emplace_back(text == nullptr ? "" : text);
    H5Dvlen_reclaim(memory.get(), space, H5P_DEFAULT, pointers.data());
    return result;
  }
  constexpr size_t kWidestString = size_t{1} << 24;
  const size_t width = H5Tget_size(type);
  if (width == 0 || width > kWidestString || n > (size_t{1} << 40) / width) {
    fail(ExitStatus::kMalformedInput, path, object, "has strings of an impossible width");
  }
  std::vector<char> bytes(n * width);
  if (read(type, bytes.data()) < 0) fail(ExitStatus::kMalformedInput, path, object, "cannot read the strings");
  result.reserve(n);
  for (size_t i = 0; i < n; ++i) result.push_back(fixed_string(&bytes[i * width], width, H5Tget_strpad(type)));
  return result;
}

}  // namespace wende::hdf5

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <set>

#include "base/error.h"
#include "tensor/tensor.h"

namespace wende {
namespace {

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  size_t bytes;
};

constexpr DTypeInfo kDTypes[] = {{DType::kFloat32, "float32", 4}, {DType::kFloat64, "float64", 8},
                                 {DType::kInt32, "int32", 4},     {DType::kInt64, "int64", 8},
                                 {DType::kBool, "bool", 1},       {DType::kComplex64, "complex64", 8}};

const DTypeInfo& info_of(DType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

}  // namespace

size_t size_of(DType dtype) { return info_of(dtype).bytes; }

std::string_view name_of(DType dtype) { return info_of(dtype).name; }

DType dtype_from_name(std::string_view name) {
  std::vector<std::string> names;
  for (const DTypeInfo& info : kDTypes) {
    if (info.name == name) return info.dtype;
    names.emplace_back(info.name);
  }
  static const std::set<std::string_view> kOthers = {"float16",   "bfloat16",   "int8",   "uint8",
                                                     "int16",     "uint16",     "uint32", "uint64",
                                                     "complex64", "complex128", "string"};
  if (kOthers.count(name) != 0) {
    throw Error(ExitStatus::kConfig, fmt::format("dtype '{}' is not supported by Wende " WENDE_VERSION, name))
        .hint(fmt::format("it has {}", fmt::join(names, ", ")));
  }
  throw Error(ExitStatus::kConfig, fmt::format("unknown dtype '{}'", name)).hint(did_you_mean(name, names));
}

}  // namespace wende

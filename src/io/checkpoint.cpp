#include "io/checkpoint.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/fault.h"
#include "base/json.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "io/tensor_bundle.h"

namespace wende {

namespace {

constexpr int64_t kFormatVersion = 2;
constexpr const char* kOwnSum = "manifest_crc32c";
constexpr std::string_view kNoSum = "00000000";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kParams = "params.safetensors";
constexpr const char* kOptimizer = "optim.safetensors";

[[noreturn]] void damaged(const std::string& file, const std::string& what) {
  throw Error(ExitStatus::kMalformedInput, fmt::format("checkpoint file '{}' is damaged: {}", file, what))
      .hint("use the checkpoint of an earlier epoch");
}

/// JSON has no NaN and no infinities: those are kept as strings.
Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value)); }

double number_from(const Json& json) {
  return json.is_string() ? std::strtod(json.as_string().c_str(), nullptr) : json.as_double();
}

Json file_entry(const std::string& bytes) {
  Json entry = Json::object();
  entry.set("bytes", static_cast<int64_t>(bytes.size()));
  entry.set("crc32c", fmt::format("{:08x}", crc32c(bytes.data(), bytes.size())));
  return entry;
}

std::string manifest_of(const Checkpoint& checkpoint, Json files) {
  Json counters = Json::object();
  for (const auto& [key, value] : checkpoint.counters) counters.set(key, value);
  Json numbers = Json::object();
  for (const auto& [key, value] : checkpoint.numbers) numbers.set(key, json_number(value));
  Json texts = Json::object();
  for (const auto& [key, value] : checkpoint.texts) texts.set(key, value);
  Json manifest = Json::object();
  manifest.set("format_version", kFormatVersion).set("wende_version", WENDE_VERSION);
  manifest.set("counters", std::move(counters)).set("numbers", std::move(numbers)).set("texts", std::move(texts));
  manifest.set("files", std::move(files)).set(kOwnSum, std::string(kNoSum));
  std::string text = manifest.dump(1) + "\n";
  const size_t where = text.rfind(kNoSum);
  return text.replace(where, kNoSum.size(), fmt::format("{:08x}", crc32c(text.data(), text.size())));
}

/// The sum over the manifest itself, in which it counts as kNoSum. Only files of the first version have none.
bool own_sum_fits(std::string text) {
  const std::string key = fmt::format("\"{}\": \"", kOwnSum);
  const size_t at = text.rfind(key);
  if (at == std::string::npos) return false;
  const std::string sum = text.substr(at + key.size(), kNoSum.size());
  text.replace(at + key.size(), sum.size(), kNoSum);
  return sum == fmt::format("{:08x}", crc32c(text.data(), text.size()));
}

/// Puts the finished folder in its place. An older one there is exchanged in one step where the file system can.
void move_into_place(const std::string& temporary, const std::string& path) {
  if (!std::filesystem::exists(path)) {
    rename_path(temporary, path);
    fault_point("ck-rename");
    return;
  }
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
    fault_point("ck-rename");
    sync_to_disk(folder_of(path));
    std::filesystem::remove_all(temporary);
    return;
  }
  const std::string old = fmt::format("{}.old.{}", path, ::getpid());
  std::filesystem::remove_all(old);
  rename_path(path, old);
  rename_path(temporary, path);
  std::filesystem::remove_all(old);
}

/// A path without trailing slashes, so that neighbours can be named.
std::string trimmed(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Json read_manifest(const std::string& path) {
  const std::string file = path + "/" + kManifest;
  if (!std::filesystem::exists(path)) {
    throw Error(ExitStatus::kMissingInput, fmt::format("there is no checkpoint '{}'", path));
  }
  if (!std::filesystem::exists(file))
    damaged(path, fmt::format("it has no {}, so it was not written to the end", kManifest));
  const std::string text = read_file(file);
  Json manifest = Json::parse(text, file);
  const Json* version = manifest.find("format_version");
  if (version == nullptr || !version->is_int()) damaged(file, "there is no format_version");
  if (version->as_int() > kFormatVersion) {
    throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' has format version {}, this program knows up to {}",
                                                         file, version->as_int(), kFormatVersion));
  }
  const bool first_version = version->as_int() == 1 && manifest.find(kOwnSum) == nullptr;
  if (!first_version && !own_sum_fits(text)) damaged(file, "its CRC32C is not the one that it says");
  return manifest;
}

std::map<std::string, Tensor> read_tensors(const std::string& path, const char* name, const Json& manifest) {
  const std::string file = path + "/" + name;
  const Json& entry = manifest.at("files").at(name);
  if (!std::filesystem::exists(file)) damaged(file, "it is missing");
  const std::string bytes = read_file(file);
  if (static_cast<int64_t>(bytes.size()) != entry.at("bytes").as_int()) {
    damaged(file, fmt::format("it has {} bytes, the manifest says {}", bytes.size(), entry.at("bytes").as_int()));
  }
  const std::string sum = fmt::format("{:08x}", crc32c(bytes.data(), bytes.size()));
  if (sum != entry.at("crc32c").as_string()) {
    damaged(file, fmt::format("its CRC32C is {}, the manifest says {}", sum, entry.at("crc32c").as_string()));
  }
  return parse_safetensors(bytes, file);
}

std::map<std::string, int64_t> counters_of(const Json& manifest) {
  std::map<std::string, int64_t> counters;
  for (const auto& [key, value] : manifest.at("counters").members()) counters[key] = value.as_int();
  return counters;
}

void fill_from_manifest(const Json& manifest, Checkpoint& checkpoint) {
  checkpoint.counters = counters_of(manifest);
  for (const auto& [key, value] : manifest.at("numbers").members()) checkpoint.numbers[key] = number_from(value);
  for (const auto& [key, value] : manifest.at("texts").members()) checkpoint.texts[key] = value.as_string();
}

bool looks_like_hdf5(const std::string& path) {
  constexpr const char* kSignature = "\x89HDF\r\n\x1a\n";
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return false;
  char start[8] = {};
  const bool read = std::fread(start, 1, sizeof(start), file) == sizeof(start);
  std::fclose(file);
  return read && std::string_view(start, sizeof(start)) == std::string_view(kSignature, sizeof(start));
}

std::map<std::string, Tensor> parameters_from_hdf5(const std::string& path) {
  const hdf5::File file = hdf5::File::open(path);
  std::map<std::string, Tensor> tensors;
  for (const std::string& name : file.datasets_below("/")) tensors.emplace(name, file.read(name));
  return tensors;
}

}  // namespace

void save_checkpoint(const std::string& given_path, const Checkpoint& checkpoint) {
  const std::string path = trimmed(given_path);
  const std::string temporary = temporary_name(path);
  std::error_code ignored;
  std::filesystem::remove_all(temporary, ignored);
  make_folders(temporary);
  fault_point("ck-open");
  try {
    Json files = Json::object();
    const auto put = [&](const char* name, const std::map<std::string, Tensor>& tensors) {
      const std::string bytes = write_safetensors(tensors);
      write_file_atomically(temporary + "/" + name, bytes);
      fault_point("ck-write");
      files.set(name, file_entry(bytes));
    };
    put(kParams, checkpoint.params);
    put(kOptimizer, checkpoint.optimizer);
    write_file_atomically(temporary + "/" + kManifest, manifest_of(checkpoint, std::move(files)));
    fault_point("ck-fsync");
    move_into_place(temporary, path);
  } catch (...) {
    std::filesystem::remove_all(temporary, ignored);
    throw;
  }
}

void remove_checkpoint(const std::string& given_path) {
  const std::string path = trimmed(given_path);
  const std::string aside = temporary_name(path);
  std::error_code ignored;
  std::filesystem::remove_all(aside, ignored);
  const bool moved = ::rename(path.c_str(), aside.c_str()) == 0;
  std::filesystem::remove_all(moved ? aside : path, ignored);
}

Checkpoint load_checkpoint(const std::string& given_path) {
  const std::string path = trimmed(given_path);
  const Json manifest = read_manifest(path);
  Checkpoint checkpoint;
  checkpoint.params = read_tensors(path, kParams, manifest);
  checkpoint.optimizer = read_tensors(path, kOptimizer, manifest);
  fill_from_manifest(manifest, checkpoint);
  return checkpoint;
}

std::string pack_checkpoint(const Checkpoint& checkpoint) {
  std::string bytes;
  for (const std::string& part : {write_safetensors(checkpoint.params), write_safetensors(checkpoint.optimizer),
                                  manifest_of(checkpoint, Json::object())}) {
    bytes += fmt::format("{:020}", part.size()) + part;
  }
  return bytes;
}

Checkpoint unpack_checkpoint(const std::string& bytes) {
  size_t at = 0;
  const auto part = [&] {
    const size_t size = std::stoull(bytes.substr(at, 20));
    at += 20 + size;
    return bytes.substr(at - size, size);
  };
  Checkpoint checkpoint;
  checkpoint.params = parse_safetensors(part(), "parameters from rank 0");
  checkpoint.optimizer = parse_safetensors(part(), "optimiser state from rank 0");
  fill_from_manifest(Json::parse(part(), "manifest from rank 0"), checkpoint);
  return checkpoint;
}

std::optional<std::map<std::string, int64_t>> checkpoint_counters(const std::string& path) {
  try {
    return counters_of(read_manifest(trimmed(path)));
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::map<std::string, Tensor> load_parameters(const std::string& path) {
  if (std::filesystem::is_directory(path)) return load_checkpoint(path).params;
  if (const std::string prefix = bundle_prefix(path); !prefix.empty()) return load_bundle(prefix);
  if (looks_like_hdf5(path)) return parameters_from_hdf5(path);
  return parse_safetensors(read_file(path), path);
}

}  // namespace wende

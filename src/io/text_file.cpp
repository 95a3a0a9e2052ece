#include "io/text_file.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>

#include "base/error.h"
#include "io/atomic_file.h"

namespace wende {

namespace {

/// Frees what inflate has allocated.
class Inflater {
 public:
  Inflater() : ready_(::inflateInit2(&stream_, kGzipOnly) == Z_OK) {}
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  bool ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  static constexpr int kGzipOnly = 16 + MAX_WBITS;
  z_stream stream_{};
  bool ready_;
};

/// A file may consist of several compressed parts, one behind the other.
std::string inflated(std::string bytes, const std::string& path) {
  constexpr size_t kMost = size_t{1} << 30;
  Inflater inflater;
  z_stream& stream = inflater.stream();
  std::string text;
  std::string buffer(size_t{1} << 18, '\0');
  size_t at = 0;
  int code = inflater.ready() ? Z_OK : Z_MEM_ERROR;
  while (code == Z_OK && at < bytes.size()) {
    const size_t given = std::min(bytes.size() - at, kMost);
    stream.next_in = reinterpret_cast<Bytef*>(bytes.data() + at);
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    code = ::inflate(&stream, Z_NO_FLUSH);
    text.append(buffer, 0, buffer.size() - stream.avail_out);
    at += given - stream.avail_in;
    if (code == Z_STREAM_END && at < bytes.size()) code = ::inflateReset(&stream);
  }
  // What a last call could not hand out yet.
  while (code == Z_OK && stream.avail_out == 0) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    code = ::inflate(&stream, Z_NO_FLUSH);
    text.append(buffer, 0, buffer.size() - stream.avail_out);
  }
  if (code != Z_STREAM_END) {
    throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is no sound gzip file, or it ends too early", path));
  }
  return text;
}

}  // namespace

std::string read_text_file(const std::string& path) {
  std::string bytes = read_file(path);
  return path.ends_with(".gz") ? inflated(std::move(bytes), path) : bytes;
}

}  // namespace wende

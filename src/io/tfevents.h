#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace wende {

/// One TensorBoard event file. Every start writes a new one: a reader stops at the first damaged record of a file,
/// so nothing may follow a cut one.
class TfEventsWriter {
 public:
  /// `first_step`: TensorBoard drops later steps of earlier files in the folder (training went back to a checkpoint).
  explicit TfEventsWriter(const std::string& folder, int64_t first_step = 0);

  void scalar(const std::string& tag, double value, int64_t step);
  void histogram(const std::string& tag, const Tensor& values, int64_t step);  ///< float32 or float64, any shape
  /// [H,W,C] float32, C 1 (grey), 3 or 4; scaled to 0..255 as TensorFlow 1 does it (see image_pixels).
  void image(const std::string& tag, const Tensor& image, int64_t step);
  void flush();  ///< 74 when the disk is full

  const std::string& path() const { return path_; }

 private:
  void write_event(const std::string& fields, int64_t step);
  void write_summary(const std::string& value, int64_t step);

  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
};

/// Bytes [H,W,C]. No negative number: the largest becomes 255. Else 0 becomes 128 and the largest magnitude is 127
/// away. NaN and infinities become red (grey images: white).
std::vector<uint8_t> image_pixels(const Tensor& image);
/// An 8-bit PNG file.
std::string encode_png(const std::vector<uint8_t>& pixels, int64_t height, int64_t width, int64_t channels);

}  // namespace wende

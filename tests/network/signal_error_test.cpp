/// Mistakes in layers of signals and spectra: errors of the config that say what is wrong.
#include <gtest/gtest.h>

#include "network_of.h"

namespace wende {
namespace {

std::string error_of(const std::string& layers) {
  return build_error(R"(
extern_data = {"data": {"dim": 5}, "durations": {"shape": (None,), "dtype": "int32"}}
network = {
    "signal": {"class": "linear", "activation": None, "n_out": 1, "from": "data"},
    "stft": {"class": "stft", "frame_shift": 2, "frame_size": 4, "from": "signal"},
    "output": {"class": "copy", "from": "x"},
    )" + layers + "}\n");
}

void expect_error(const std::string& layer, const std::string& message) {
  const std::string error = error_of("\"x\": " + layer);
  EXPECT_NE(error.find(message), std::string::npos) << layer << "\n" << error;
}

TEST(SignalErrors, Transforms) {
  EXPECT_EQ(error_of(R"("x": {"class": "istft", "frame_shift": 2, "frame_size": 4, "from": "stft"})"), "");
  expect_error(R"({"class": "stft", "frame_size": 4, "from": "signal"})", "frame_shift");
  expect_error(R"({"class": "stft", "frame_shift": 1, "frame_size": 10**9, "from": "signal"})", "16384");
  expect_error(R"({"class": "stft", "frame_shift": 1, "frame_size": 4, "from": "data"})", "multichannel_stft_layer");
  expect_error(R"({"class": "istft", "frame_shift": 2, "frame_size": 4, "from": "signal"})", "complex64");
  expect_error(R"({"class": "istft", "frame_shift": 2, "frame_size": 6, "from": "stft"})", "4 bins");
  expect_error(R"({"class": "istft", "frame_shift": 4, "frame_size": 4, "from": "stft"})", "smaller frame_shift");
  expect_error(
      R"({"class": "multichannel_stft_layer", "frame_shift": 2, "frame_size": 4, "fft_size": 4, "from": "data"})",
      "1 channels are needed");
  expect_error(
      R"({"class": "multichannel_stft_layer", "frame_shift": 2, "frame_size": 4, "fft_size": 4, "window": "hann", "from": "signal"})",
      "hanning");
  expect_error(
      R"({"class": "multichannel_stft_layer", "frame_shift": 2, "frame_size": 4, "fft_size": 4, "use_rfft": False, "from": "signal"})",
      "use_rfft");
  expect_error(
      R"({"class": "multichannel_multiresolution_stft_layer", "frame_shift": 2, "frame_sizes": [4, 8], "fft_sizes": [4], "from": "signal"})",
      "as many frame sizes");
}

TEST(SignalErrors, ComplexNumbersWhereRealOnesAreNeeded) {
  expect_error(R"({"class": "linear", "activation": "tanh", "n_out": 2, "from": "stft"})", "complex64");
  expect_error(R"({"class": "activation", "activation": "tanh", "from": "stft"})", "take abs, angle, real or imag");
  expect_error(R"({"class": "rec", "unit": "lstm", "n_out": 2, "from": "stft"})", "complex64");
  expect_error(R"({"class": "signal_masking", "signal": "signal", "mask": "stft"})", "does not fit the signal");
  expect_error(R"({"class": "alternating_real_to_complex", "from": "data"})", "in turn");
  expect_error(R"({"class": "complex_to_alternating_real", "from": "data"})", "complex64 features");
  EXPECT_NE(build_error(R"(
extern_data = {"data": {"dim": 5, "dtype": "complex64"}}
network = {"output": {"class": "copy", "from": "data"}}
)")
                .find("alternating_real_to_complex"),
            std::string::npos);
}

TEST(SignalErrors, RepetitionsByLayer) {
  EXPECT_EQ(error_of(R"("x": {"class": "repeat", "repetitions": "data:durations", "axis": "T", "from": "data"})"), "");
  expect_error(R"({"class": "repeat", "repetitions": "signal", "axis": "T", "from": "data"})", "int32");
  expect_error(R"({"class": "repeat", "repetitions": "data:durations", "axis": "F", "from": "data"})",
               "an axis beside those");
  expect_error(R"({"class": "repeat", "repetitions": 0, "axis": "T", "from": "data"})", "name of a layer");
}

}  // namespace
}  // namespace wende

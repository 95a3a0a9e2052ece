#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/fourier.h"
#include "layers/spatial_input.h"

namespace wende {
namespace {

struct StftArgs : SpatialInputArgs {
  int64_t frame_shift = 0;
  int64_t frame_size = 0;
  std::optional<int64_t> fft_size;

  template <class V>
  void fields(V& v) {
    v.field("frame_shift", frame_shift, "samples from one frame to the next");
    v.field("frame_size", frame_size, "samples per frame, under a Hann window");
    v.field("fft_size", fft_size, "size of the transform (frame_size): frames are cut or filled with zeros to it");
    spatial_fields(v);
  }
};

/// Transforms in both directions: one spatial axis, all other axes are batch.
class FourierLayer : public Layer {
 public:
  explicit FourierLayer(const char* name, const StftArgs& args) : args_(args) {
    const int64_t fft_size = args.fft_size.value_or(args.frame_size);
    const auto fits = [](int64_t size) { return size > 0 && size <= ShortTimeFourier::kMost; };
    if (!fits(args.frame_shift) || !fits(args.frame_size) || !fits(fft_size)) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("{} needs 'frame_shift' and 'frame_size' (and 'fft_size') from 1 to {}, got {}, {}, {}",
                              name, ShortTimeFourier::kMost, args.frame_shift, args.frame_size, fft_size));
    }
    transform_ = {args.frame_shift, args.frame_size, fft_size, {}};
  }

 protected:
  Dim dim(const LayerContext& context, int64_t size) const {
    return Dim::fixed(size, Dim::Kind::kFeature, context.absolute_name + ":channel");
  }

  StftArgs args_;
  ShortTimeFourier transform_;
  SpatialInput input_;
};

class StftLayer : public FourierLayer {
 public:
  explicit StftLayer(const StftArgs& args) : FourierLayer("stft", args) {
    transform_.window = hann_window(args.frame_size);
  }

  Data out_data(const LayerContext& context) override {
    input_ = SpatialInput(concat_input_data(context.sources, context.name), args_, 1, context);
    const Dim& channel = input_.data().dims.back();
    if (channel.is_dynamic() || channel.size() != 1 || input_.data().dtype != DType::kFloat32) {
      throw context.options.error("stft takes a signal of one channel, float32 [B,T,1], got " + input_.data().str())
          .hint("'multichannel_stft_layer' takes several channels");
    }
    ops::ConvOptions options;
    options.strides = {static_cast<int>(args_.frame_shift)};
    options.dilations = {1};
    const std::vector<Dim> frames =
        SpatialPadding(Value::of("valid"), 1)
            .place(input_.spatial_dims(), {static_cast<int>(args_.frame_size)}, context.absolute_name, options);
    name_axes(context, "out_spatial_dims", frames);
    Data out = input_.with(frames, dim(context, transform_.bins()));
    out.dtype = DType::kComplex64;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const Expr x = input_.arrange(builder, builder.input(), 0.0);
    const auto frames = static_cast<size_t>(input_.batch_axes());
    return input_.restore(transform_.forward(x, out.dims[frames], out.dims.back()), out);
  }
};

class IstftLayer : public FourierLayer {
 public:
  explicit IstftLayer(const StftArgs& args) : FourierLayer("istft", args) {
    transform_.window = inverse_window(args.frame_size, args.frame_shift);
  }

  Data out_data(const LayerContext& context) override {
    input_ = SpatialInput(concat_input_data(context.sources, context.name), args_, 1, context);
    const Dim& bins = input_.data().dims.back();
    if (bins.is_dynamic() || bins.size() != transform_.bins() || input_.data().dtype != DType::kComplex64) {
      throw context.options
          .error(fmt::format("istft with an fft_size of {} takes complex64 spectra of {} bins, got {}",
                             transform_.fft_size, transform_.bins(), input_.data().str()))
          .hint("the output of 'stft', or of an 'eval' with tf.complex and out_type {\"dtype\": \"complex64\"}");
    }
    const Dim frames = input_.spatial_dims()[0];
    const int64_t more = args_.frame_size - args_.frame_shift;
    const Dim samples = frames.is_static() ? Dim::fixed(frames.size() * args_.frame_shift + more, Dim::Kind::kSpatial,
                                                        context.absolute_name + ":conv:s0")
                                           : frames * args_.frame_shift + more;
    name_axes(context, "out_spatial_dims", {samples});
    Data out = input_.with({samples}, dim(context, 1));
    out.dtype = DType::kFloat32;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const Expr x = input_.arrange(builder, builder.input(), 0.0);
    const auto samples = static_cast<size_t>(input_.batch_axes());
    return input_.restore(transform_.inverse(x, out.dims[samples]), out);
  }
};

const RegisterLayer<StftLayer, StftArgs> kRegister{
    "stft",
    {},
    "Short-time Fourier transform of a signal [B,T,1]: complex64 spectra [B,frames,fft_size/2+1].",
    {R"({"class": "stft", "frame_shift": 1, "frame_size": 2, "in_spatial_dims": ["T"], "from": "data:att"})",
     R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("signal": {"class": "linear", "activation": None, "n_out": 1, "from": "data"},)"
     R"("stft": {"class": "stft", "frame_shift": 1, "frame_size": 3, "fft_size": 4, "from": "signal"},)"
     R"("output": {"class": "activation", "activation": "abs", "from": "stft"}}})"}};
const RegisterLayer<IstftLayer, StftArgs> kRegisterInverse{
    "istft",
    {},
    "The inverse of stft: the signal [B,T,1] of spectra, frames added where they overlap.",
    {R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("signal": {"class": "linear", "activation": None, "n_out": 1, "from": "data"},)"
     R"("stft": {"class": "stft", "frame_shift": 1, "frame_size": 3, "from": "signal"},)"
     R"("output": {"class": "istft", "frame_shift": 1, "frame_size": 3, "from": "stft"}}})"}};

}  // namespace
}  // namespace wende

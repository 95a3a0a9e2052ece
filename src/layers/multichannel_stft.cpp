#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/fourier.h"
#include "layers/layer_builder.h"
#include "ops/complex.h"
#include "ops/found_size.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// What both layers have.
struct ChannelsArgs {
  int64_t frame_shift = 0;
  std::string window = "hanning";
  bool use_rfft = true;
  int64_t nr_of_channels = 1;
  bool pad_last_frame = false;

  template <class V>
  void channel_fields(V& v) {
    v.field("frame_shift", frame_shift, "samples from one frame to the next");
    v.field("window", window, "hanning, blackman or ones (also \"None\")");
    v.field("use_rfft", use_rfft, "must be True: the signals are real");
    v.field("nr_of_channels", nr_of_channels, "features of the input, each a signal");
    v.field("pad_last_frame", pad_last_frame, "the last frame is filled with zeros, not left out");
  }
};

struct MultiResolutionArgs : ChannelsArgs {
  std::vector<int64_t> frame_sizes, fft_sizes;

  template <class V>
  void fields(V& v) {
    channel_fields(v);
    v.field("frame_sizes", frame_sizes,
            "samples per frame of each resolution; the first says how many frames there are");
    v.field("fft_sizes", fft_sizes, "size of the transform of each resolution");
  }
};

struct MultichannelArgs : ChannelsArgs {
  int64_t frame_size = 0;
  int64_t fft_size = 0;

  template <class V>
  void fields(V& v) {
    channel_fields(v);
    v.field("frame_size", frame_size, "samples per frame");
    v.field("fft_size", fft_size, "size of the transform: frames are cut or filled with zeros to it");
  }
};

std::vector<double> window_named(const std::string& name, int64_t size) {
  if (name == "hanning") {
    return hann_window(size);
  }
  if (name == "blackman") {
    return blackman_window(size);
  }
  if (name == "ones" || name == "None") {
    return std::vector<double>(static_cast<size_t>(size), 1.0);
  }
  throw Error(ExitStatus::kConfig, "unknown window '" + name + "'").hint("there are hanning, blackman and ones");
}

/// [B,T,C] -> complex64 [B,frames,resolution-channel-bin].
class MultichannelStftLayer : public Layer {
 public:
  explicit MultichannelStftLayer(const MultiResolutionArgs& args) : args_(args) {
    bool fits = !args.frame_sizes.empty() && args.frame_sizes.size() == args.fft_sizes.size() && args.frame_shift > 0 &&
                args.frame_shift <= ShortTimeFourier::kMost;
    for (size_t i = 0; fits && i < args.frame_sizes.size(); ++i) {
      fits = std::max(args.frame_sizes[i], args.fft_sizes[i]) <= ShortTimeFourier::kMost &&
             std::min(args.frame_sizes[i], args.fft_sizes[i]) > 0;
    }
    if (!fits) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("'frame_shift' and as many frame sizes as sizes of transforms are needed, from 1 to {}",
                              ShortTimeFourier::kMost));
    }
    if (!args.use_rfft) {
      throw Error(ExitStatus::kConfig, "use_rfft must be True: there is no other transform, in RETURNN neither");
    }
    for (size_t i = 0; i < args.frame_sizes.size(); ++i) {
      const int64_t size = args.frame_sizes[i];
      transforms_.push_back({args.frame_shift, size, args.fft_sizes[i], window_named(args.window, size)});
    }
  }
  explicit MultichannelStftLayer(const MultichannelArgs& args)
      : MultichannelStftLayer(
            MultiResolutionArgs{static_cast<const ChannelsArgs&>(args), {args.frame_size}, {args.fft_size}}) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    if (x.rank() != 3 || !x.has_batch() || !x.has_time() || x.sparse() || x.feature_axis < 0 ||
        x.dtype != DType::kFloat32 || input_size(x) != args_.nr_of_channels) {
      throw context.options.error(fmt::format("{} channels are needed as features, float32 [B,T,{}], got {}",
                                              args_.nr_of_channels, args_.nr_of_channels, x.str()));
    }
    int64_t size = 0;
    for (const ShortTimeFourier& transform : transforms_) {
      size += transform.bins() * args_.nr_of_channels;
    }
    const Value* n_out = context.options.find("n_out");
    if (n_out && !n_out->is_none() && n_out->as_int() != size) {
      throw n_out->error(fmt::format("n_out {} differs from the {} bins of all channels", n_out->as_int(), size));
    }
    order_ = {x.batch_axis(), x.time_axis, x.feature_axis};
    Data out = x.permuted(order_).with_name(context.name);
    out.dims[1] = frames_of(out.dims[1], args_.frame_sizes[0], context.absolute_name + ":frames");
    out.dims[2] = Dim::fixed(size, Dim::Kind::kFeature, context.absolute_name + ":feature-dense");
    out.dtype = DType::kComplex64;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    const Expr x = permute_if_needed(builder.input().expr, order_);
    std::vector<Expr> parts;
    for (const ShortTimeFourier& transform : transforms_) {
      for (int64_t channel = 0; channel < args_.nr_of_channels; ++channel) {
        const Expr signal = ops::slice(x, 2, channel, channel + 1, 1, Dim::fixed(1));
        parts.push_back(spectra(signal, transform, out.dims[1]));
      }
    }
    return ops::concat(parts, 2, out.dims[2]);
  }

 private:
  /// How many frames of this size there are.
  Dim frames_of(const Dim& samples, int64_t size, const std::string& name = "") const {
    const int64_t lost = args_.pad_last_frame ? size - args_.frame_shift : size - 1;
    if (samples.is_static()) {
      const int64_t left = std::max<int64_t>(samples.size() - lost, 0);
      return Dim::fixed((left + args_.frame_shift - 1) / args_.frame_shift, Dim::Kind::kSpatial, name);
    }
    return ceil_div(lost < 0 ? samples + -lost : samples - lost, args_.frame_shift);
  }

  /// The first resolution says how many frames there are: of shorter frames the last ones are left out, longer ones
  /// find silence of 1e-7 behind the signal, as in RETURNN.
  Expr spectra(Expr signal, const ShortTimeFourier& transform, const Dim& frames) const {
    const Dim bins = Dim::fixed(transform.bins());
    const Dim samples = signal.dim(1);
    const int64_t more = transform.frame_size - args_.frame_sizes[0];
    if (more > 0) {
      signal = ops::pad(signal, 1, 0, more, 1e-7, samples + more);
    }
    if (more >= 0) {
      return transform.forward(signal, frames, bins);
    }
    const Expr all = transform.forward(signal, frames_of(samples, transform.frame_size), bins);
    return ops::by_parts(all, [&](Expr part) { return ops::cut(part, 1, frames); });
  }

  MultiResolutionArgs args_;
  std::vector<ShortTimeFourier> transforms_;
  std::vector<int> order_;
};

const RegisterLayer<MultichannelStftLayer, MultichannelArgs> kRegister{
    "multichannel_stft_layer",
    {},
    "Short-time Fourier transforms of several channels [B,T,C], behind each other in the features: complex64.",
    {R"({"class": "multichannel_stft_layer", "frame_shift": 1, "frame_size": 2, "fft_size": 2, "nr_of_channels": 5, "from": "data"})",
     R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("stft": {"class": "multichannel_stft_layer", "frame_shift": 1, "frame_size": 2, "fft_size": 4, "nr_of_channels": 5, "from": "data"},)"
     R"("output": {"class": "activation", "activation": "abs", "from": "stft"}}})"}};
const RegisterLayer<MultichannelStftLayer, MultiResolutionArgs> kRegisterResolutions{
    "multichannel_multiresolution_stft_layer",
    {},
    "Transforms of several channels with frames of several sizes, behind each other in the features: complex64.",
    {R"({"class": "multichannel_multiresolution_stft_layer", "frame_shift": 1, "frame_sizes": [2], "fft_sizes": [2], "nr_of_channels": 5, "from": "data"})",
     R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("stft": {"class": "multichannel_multiresolution_stft_layer", "frame_shift": 2, "frame_sizes": [2, 3], "fft_sizes": [4, 3], "nr_of_channels": 5, "from": "data"},)"
     R"("output": {"class": "activation", "activation": "abs", "from": "stft"}}})"}};

}  // namespace
}  // namespace wende

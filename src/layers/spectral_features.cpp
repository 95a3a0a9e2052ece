/// Features of spectra: mel filters, and complex filters that are learnt.
#include <fmt/core.h>

#include <cmath>

#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/layer_builder.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// The order of axes with the batch in front; the feature axis must be the last.
std::vector<int> batch_major(const Data& x) {
  if (!x.has_batch() || x.sparse() || x.feature_axis != x.rank() - 1) {
    throw Error(ExitStatus::kConfig, "spectra [B,T,F] are needed, got " + x.str());
  }
  return order_with_first(x.rank(), {x.batch_axis()});
}

void check_n_out(const LayerContext& context, int64_t filters) {
  const Value* n_out = context.options.find("n_out");
  if (n_out && n_out->kind() == Value::Kind::kInt && n_out->as_int() != filters) {
    throw n_out->error(fmt::format("n_out {} differs from nr_of_filters {}", n_out->as_int(), filters));
  }
}

struct MelFilterbankArgs {
  int64_t sampling_rate = 16000;
  int64_t fft_size = 1024;
  int64_t nr_of_filters = 80;
  std::optional<double> f_min, f_max;

  template <class V>
  void fields(V& v) {
    v.field("sampling_rate", sampling_rate, "of the signal");
    v.field("fft_size", fft_size, "of the transform that made the spectrum");
    v.field("nr_of_filters", nr_of_filters, "features of the output");
    v.field("f_min", f_min, "where the filters begin (0)");
    v.field("f_max", f_max, "where they end (half of sampling_rate)");
  }
};

/// Triangles of equal width on the mel scale 1125 ln(1 + f / 700) (Huang, Acero and Hon 2001, equation 6.141).
class MelFilterbankLayer : public Layer {
 public:
  explicit MelFilterbankLayer(MelFilterbankArgs args) : args_(std::move(args)) {
    if (args_.sampling_rate < 1 || args_.fft_size < 1 || args_.nr_of_filters < 1) {
      throw Error(ExitStatus::kConfig, "mel_filterbank: sampling_rate, fft_size and nr_of_filters must be > 0");
    }
  }

  Data out_data(const LayerContext& context) override {
    check_n_out(context, args_.nr_of_filters);
    const Data x = concat_input_data(context.sources, context.name);
    const Data ordered = x.permuted(batch_major(x));
    if (input_size(x) != bins()) {
      throw Error(ExitStatus::kConfig, fmt::format("mel_filterbank: an fft_size of {} gives {} bins, the input has {}",
                                                   args_.fft_size, bins(), input_size(x)));
    }
    return with_feature_size(ordered, args_.nr_of_filters, context.absolute_name + ":mel").with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.input();
    const Data& out = builder.out_data();
    const Expr filters = ops::constant_array(
        builder.graph(), filter_matrix(),
        {x.data.dims[static_cast<size_t>(x.data.feature_axis)], out.dims[static_cast<size_t>(out.feature_axis)]});
    return ops::linear(ops::permute(x.expr, batch_major(x.data)), filters);
  }

 private:
  int64_t bins() const { return args_.fft_size / 2 + 1; }

  /// [bins,filters]
  Tensor filter_matrix() const {
    const auto mel = [](double f) { return 1125.0 * std::log(1 + f / 700); };
    const double low = mel(args_.f_min.value_or(0));
    const double high =
        mel(args_.f_max && *args_.f_max > 0 ? *args_.f_max : static_cast<double>(args_.sampling_rate) / 2);
    std::vector<float> centers;
    for (int64_t i = 0; i < args_.nr_of_filters + 2; ++i) {
      const double at = low + static_cast<double>(i) * (high - low) / static_cast<double>(args_.nr_of_filters + 1);
      centers.push_back(
          static_cast<float>(static_cast<double>(args_.fft_size) / static_cast<double>(args_.sampling_rate) * 700.0 *
                             (std::exp(at / 1125) - 1)));
    }
    const Tensor matrix = Tensor::zeros(DType::kFloat32, {bins(), args_.nr_of_filters});
    for (int64_t bin = 0; bin < bins(); ++bin) {
      for (int64_t k = 0; k < args_.nr_of_filters; ++k) {
        const float* at = centers.data() + k;
        const auto f = static_cast<float>(bin);
        if (f > at[0] && f < at[2]) {
          matrix.data<float>()[bin * args_.nr_of_filters + k] =
              f < at[1] ? (f - at[0]) / (at[1] - at[0]) : (at[2] - f) / (at[2] - at[1]);
        }
      }
    }
    return matrix;
  }

  MelFilterbankArgs args_;
};

struct ComplexLinearProjectionArgs {
  int64_t nr_of_filters = 0;
  Value clp_weights_init;

  template <class V>
  void fields(V& v) {
    v.field("nr_of_filters", nr_of_filters, "features of the output");
    v.field("clp_weights_init", clp_weights_init, "initialiser of the kernel (glorot_uniform)");
  }
};

/// log |x W| of complex x and W (Variani et al. 2016). The input has real and imaginary parts in turn.
class ComplexLinearProjectionLayer : public Layer {
 public:
  explicit ComplexLinearProjectionLayer(ComplexLinearProjectionArgs args) : args_(std::move(args)) {
    if (args_.nr_of_filters < 1) {
      throw Error(ExitStatus::kConfig, "complex_linear_projection needs 'nr_of_filters' > 0");
    }
  }

  Data out_data(const LayerContext& context) override {
    check_n_out(context, args_.nr_of_filters);
    const Data x = concat_input_data(context.sources, context.name);
    const Data ordered = x.permuted(batch_major(x));
    if (input_size(x) % 2 != 0) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("real and imaginary parts in turn are needed, got {} features", input_size(x)));
    }
    return with_feature_size(ordered, args_.nr_of_filters, context.absolute_name + ":clp").with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput input = builder.input();
    const Expr x = ops::permute(input.expr, batch_major(input.data));
    const int64_t bins = input_size(input.data) / 2;
    const Expr kernel =
        builder.param("clp_kernel", Shape{2, bins, args_.nr_of_filters}, args_.clp_weights_init, "glorot_uniform");
    const Dim dim = Dim::fixed(bins, Dim::Kind::kFeature);
    const int last = x.rank() - 1;
    const auto part = [&](int64_t i) { return ops::slice(x, last, i, INT64_MAX, 2, dim); };
    const auto weights = [&](int64_t i) { return ops::squeeze(ops::slice(kernel, 0, i, i + 1, 1, Dim::fixed(1)), 0); };
    const auto product = [&](int64_t of_x, int64_t of_w) { return ops::linear(part(of_x), weights(of_w)); };
    const Expr real = ops::sub(product(0, 0), product(1, 1));
    const Expr imaginary = ops::add(product(1, 0), product(0, 1));
    const auto squared = [](Expr y) { return ops::unary(ops::Unary::kSquare, y); };
    // The root has no gradient at 0, where padded frames are.
    const Expr power = ops::add(squared(real), squared(imaginary));
    const auto number = [&](double value) { return ops::constant(builder.graph(), value); };
    const Expr silent = ops::binary(ops::Binary::kEqual, power, number(0.0));
    const Expr absolute = ops::unary(ops::Unary::kSqrt, ops::where(silent, number(1.0), power));
    const Expr y = ops::where(silent, number(std::log(1e-20)), ops::unary(ops::Unary::kSafeLog, absolute));
    return ops::reshape(y, builder.out_data().dims);
  }

 private:
  ComplexLinearProjectionArgs args_;
};

const RegisterLayer<MelFilterbankLayer, MelFilterbankArgs> kRegisterMel{
    "mel_filterbank",
    {},
    "Mel filters on a spectrum.",
    {R"({"class": "mel_filterbank", "fft_size": 8, "nr_of_filters": 2, "from": "data"})"}};
const RegisterLayer<ComplexLinearProjectionLayer, ComplexLinearProjectionArgs> kRegisterProjection{
    "complex_linear_projection",
    {},
    "Logarithm of the absolute values of complex filters on a complex spectrum.",
    {R"({"class": "complex_linear_projection", "nr_of_filters": 3, "from": ["data", "data"]})"}};

}  // namespace
}  // namespace wende

/// Complex features as pairs of real ones, and back.
#include "layers/concat_input.h"
#include "layers/layer_builder.h"
#include "ops/complex.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct NoArgs {
  template <class V>
  void fields(V&) {}
};

/// The feature axis of another size and dtype, last.
Data with_features(const LayerContext& context, DType needed, DType made, const char* wanted,
                   int64_t (*size)(int64_t)) {
  const Data x = concat_input_data(context.sources, context.name);
  if (x.sparse() || x.dtype != needed || x.feature_axis < 0 || x.feature_axis != x.rank() - 1 ||
      size(input_size(x)) < 1) {
    throw context.options.error(std::string(wanted) + ", got " + x.str());
  }
  Data out = with_feature_size(x, size(input_size(x)), context.absolute_name + ":feature");
  out.dtype = made;
  return out;
}

/// Even features are real parts, odd ones imaginary.
class AlternatingRealToComplexLayer : public Layer {
 public:
  explicit AlternatingRealToComplexLayer(const NoArgs&) {}
  Data out_data(const LayerContext& context) override {
    return with_features(context, DType::kFloat32, DType::kComplex64,
                         "real and imaginary parts in turn are needed as the last axis, float32",
                         [](int64_t n) { return n % 2 == 0 ? n / 2 : 0; });
  }
  Expr build(LayerBuilder& builder) override {
    const Expr x = builder.input().expr;
    const Dim& dim = builder.out_data().dims.back();
    const auto part = [&](int64_t i) { return ops::slice(x, -1, i, INT64_MAX, 2, dim); };
    return ops::complex(part(0), part(1));
  }
};

class ComplexToAlternatingRealLayer : public Layer {
 public:
  explicit ComplexToAlternatingRealLayer(const NoArgs&) {}
  Data out_data(const LayerContext& context) override {
    return with_features(context, DType::kComplex64, DType::kFloat32, "complex64 features are needed as the last axis",
                         [](int64_t n) { return 2 * n; });
  }
  Expr build(LayerBuilder& builder) override {
    const Expr z = builder.input().expr;
    const Expr pairs =
        ops::concat({ops::expand_dims(ops::real(z), z.rank()), ops::expand_dims(ops::imaginary(z), z.rank())}, z.rank(),
                    Dim::fixed(2));
    return ops::reshape(pairs, builder.out_data().dims);
  }
};

const RegisterLayer<AlternatingRealToComplexLayer, NoArgs> kRegister{
    "alternating_real_to_complex",
    {},
    "Features that are real and imaginary parts in turn as complex64.",
    {R"({"class": "alternating_real_to_complex", "from": ["data", "data"]})",
     R"x({"class": "subnetwork", "from": ["data", "data"], "subnetwork": {)x"
     R"x("z": {"class": "alternating_real_to_complex", "from": "data"},)x"
     R"x("output": {"class": "eval", "eval": "tf.math.imag(source(0) * source(0))", )x"
     R"x("out_type": {"dtype": "float32"}, "from": "z"}}})x"}};
const RegisterLayer<ComplexToAlternatingRealLayer, NoArgs> kRegisterBack{
    "complex_to_alternating_real",
    {},
    "Complex features as real and imaginary parts in turn.",
    {R"x({"class": "subnetwork", "from": ["data", "data"], "subnetwork": {)x"
     R"x("z": {"class": "alternating_real_to_complex", "from": "data"},)x"
     R"x("output": {"class": "complex_to_alternating_real", "from": "z"}}})x"}};

}  // namespace
}  // namespace wende

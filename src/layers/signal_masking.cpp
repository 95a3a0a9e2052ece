#include "layers/alignment.h"
#include "layers/layer_builder.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct SignalMaskingArgs {
  Value signal, mask;

  template <class V>
  void fields(V& v) {
    v.field("signal", signal, "layer: float32 or complex64");
    v.field("mask", mask, "layer with the axes of the signal: of its type, or float32");
  }
};

/// The product of a signal and a mask.
class SignalMaskingLayer : public Layer {
 public:
  explicit SignalMaskingLayer(SignalMaskingArgs args) : args_(std::move(args)) {
    for (const Value* name : {&args_.signal, &args_.mask}) {
      if (!name->is_string()) {
        throw Error(ExitStatus::kConfig, "signal_masking needs 'signal' and 'mask': names of layers");
      }
    }
  }

  std::vector<std::string> refs() const override { return {args_.signal.as_string(), args_.mask.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data& signal = context.refs.at(args_.signal.as_string());
    const Data& mask = context.refs.at(args_.mask.as_string());
    const bool complex = signal.dtype == DType::kComplex64 && mask.dtype == DType::kFloat32;
    if (!complex &&
        (signal.dtype != mask.dtype || (signal.dtype != DType::kFloat32 && signal.dtype != DType::kComplex64))) {
      throw args_.mask.error("the mask " + mask.str() + " does not fit the signal " + signal.str() +
                             ": both float32, or a complex64 signal");
    }
    bool same = signal.rank() == mask.rank();
    for (int i = 0; same && i < mask.rank(); ++i) {
      same = match_axes(mask, signal).at(static_cast<size_t>(i)) >= 0;
    }
    if (!same) {
      throw args_.mask.error("the mask " + mask.str() + " must have the axes of the signal " + signal.str());
    }
    return signal.with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput signal = builder.ref(args_.signal.as_string());
    const Expr mask = align_to(builder.ref(args_.mask.as_string()), signal.data);
    return ops::mul(signal.expr, ops::cast(mask, signal.data.dtype));
  }

 private:
  SignalMaskingArgs args_;
};

const RegisterLayer<SignalMaskingLayer, SignalMaskingArgs> kRegister{
    "signal_masking",
    {},
    "A signal or spectrum times a mask.",
    {R"({"class": "signal_masking", "signal": "data:data", "mask": "data:data"})"}};

}  // namespace
}  // namespace wende

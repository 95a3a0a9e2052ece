#include "layers/layer_builder.h"

namespace wende {
namespace {

struct UnmaskArgs {
  std::string mask;
  Value skip_initial;

  template <class V>
  void fields(V& v) {
    v.field("mask", mask, "the mask of the masked_computation");
    v.field("skip_initial", skip_initial, "not supported");
  }
};

/// The output of masked_computation has all frames already: what is kept from earlier frames stands where the mask is
/// false.
class UnmaskLayer : public Layer {
 public:
  explicit UnmaskLayer(UnmaskArgs args) : args_(std::move(args)) {
    if (args_.mask.empty()) {
      throw Error(ExitStatus::kConfig, "unmask needs a layer 'mask'");
    }
    if (!args_.skip_initial.is_none()) {
      throw args_.skip_initial.error("skip_initial is not supported by Wende " WENDE_VERSION);
    }
  }

  std::vector<std::string> refs() const override { return {args_.mask}; }

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error("unmask takes one input");
    }
    const Data& x = context.sources[0];
    const Data& mask = context.refs.at(args_.mask);
    if (mask.has_time() && x.axis_of(mask.time_dim()) < 0) {
      throw context.options.error("unmask needs an input with the frames of the mask, got " + x.str() + " and " +
                                  mask.str());
    }
    return x.with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override { return builder.source(0).expr; }

 private:
  UnmaskArgs args_;
};

const RegisterLayer<UnmaskLayer, UnmaskArgs> kRegister{
    "unmask",
    {},
    "In a loop, the output of masked_computation on all frames.",
    {R"({"class": "rec", "from": "data", "unit": {)"
     R"("sum": {"class": "reduce", "mode": "sum", "axis": "F", "from": "data:source"}, )"
     R"("mask": {"class": "compare", "kind": "greater", "value": 0.0, "from": "sum"}, )"
     R"("masked": {"class": "masked_computation", "mask": "mask", "from": "data:source", )"
     R"("unit": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "data"}}, )"
     R"("output": {"class": "unmask", "mask": "mask", "from": "masked"}}})"}};

}  // namespace
}  // namespace wende

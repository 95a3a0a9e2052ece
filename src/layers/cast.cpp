#include "layers/concat_input.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct CastArgs {
  std::string dtype;

  template <class V>
  void fields(V& v) {
    v.field("dtype", dtype, "the new type: float32, int32, bool, ...");
  }
};

class CastLayer : public Layer {
 public:
  explicit CastLayer(CastArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    Data out = concat_input_data(context.sources, context.name);
    out.dtype = dtype_from_name(args_.dtype);
    if (out.dtype == DType::kFloat32) {
      out.sparse_dim = Dim();
    }
    return out;
  }
  Expr build(LayerBuilder& builder) override { return ops::cast(builder.input().expr, builder.out_data().dtype); }

 private:
  CastArgs args_;
};

struct IdentityArgs {
  Value control_dependencies;

  template <class V>
  void fields(V& v) {
    v.field("control_dependencies", control_dependencies, "layers that run before; accepted, has no effect");
  }
};

struct PrintArgs {
  Value summarize, extra_print_args;

  template <class V>
  void fields(V& v) {
    v.field("summarize", summarize, "accepted; nothing is printed");
    v.field("extra_print_args", extra_print_args, "accepted; nothing is printed");
  }
};

/// Its source, unchanged.
template <class Args>
class IdentityLayer : public Layer {
 public:
  explicit IdentityLayer(const Args&) {}
  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error("layer '" + context.name + "' takes one input");
    }
    return context.sources[0].with_name(context.name);
  }
  Expr build(LayerBuilder& builder) override { return builder.source(0).expr; }
};

const RegisterLayer<CastLayer, CastArgs> kRegister{
    "cast", {}, "Another type of number.", {R"({"class": "cast", "dtype": "float32", "from": "data:classes"})"}};
const RegisterLayer<IdentityLayer<IdentityArgs>, IdentityArgs> kRegisterIdentity{
    "identity", {}, "Its input.", {R"({"class": "identity", "from": "data"})"}};
const RegisterLayer<IdentityLayer<PrintArgs>, PrintArgs> kRegisterPrint{
    "print", {}, "Its input; RETURNN prints it.", {R"({"class": "print", "from": "data"})"}};

}  // namespace
}  // namespace wende

#include <fmt/core.h>

#include "layers/layer_builder.h"

namespace wende {
namespace {

struct ImageSummaryArgs {
  int64_t max_outputs = 3;

  template <class V>
  void fields(V& v) {
    v.field("max_outputs", max_outputs, "images per step, of the batch's first sequences");
  }
};

/// Passes its input (T-decoder, T-encoder, B, 1) on; rank 0 writes a picture of the first sequences as TensorBoard
/// image and PNG file.
class ImageSummaryLayer : public Layer {
 public:
  explicit ImageSummaryLayer(ImageSummaryArgs args) : args_(args) {
    if (args_.max_outputs < 1) {
      throw Error(ExitStatus::kConfig, "max_outputs must be at least 1");
    }
  }

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error("image_summary takes one input");
    }
    const Data& x = context.sources[0];
    const bool fits = x.rank() == 4 && x.batch_axis() == 2 && x.dims[3].is_static() && x.dims[3].size() == 1;
    if (!fits) {
      throw context.options.error("image_summary needs an input (T-decoder, T-encoder, B, 1), got " + x.str());
    }
    if (x.dtype != DType::kFloat32) {
      throw context.options.error("image_summary needs floats, got " + x.str());
    }
    return x.with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.source(0);
    const std::string& layer = builder.context().absolute_name;
    builder.add_sink({layer, x.data, x.expr, layer, builder.context().options});
    return x.expr;
  }

 private:
  ImageSummaryArgs args_;
};

const RegisterLayer<ImageSummaryLayer, ImageSummaryArgs> kRegister{
    "image_summary",
    {},
    "Pictures of attention weights for TensorBoard.",
    {R"({"class": "image_summary", "from": "data:att", "max_outputs": 2, "is_output_layer": True})"}};

}  // namespace
}  // namespace wende

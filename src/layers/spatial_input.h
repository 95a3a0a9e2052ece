#pragma once

#include <string>
#include <vector>

#include "layers/layer_builder.h"
#include "ops/conv.h"

namespace wende {

/// Which axes a convolution or pooling runs over.
struct SpatialInputArgs {
  Value in_spatial_dims, out_spatial_dims, input_split_feature_dim;
  int64_t input_expand_dims = 0;
  bool input_add_feature_dim = false;
  bool use_time_mask = false;

  template <class V>
  void spatial_fields(V& v) {
    v.field("in_spatial_dims", in_spatial_dims, "the axes to run over, in order (all but batch and feature)");
    v.field("out_spatial_dims", out_spatial_dims, "dim tags that the resulting axes stand for");
    v.field("use_time_mask", use_time_mask, "padded frames count as zero (max pooling: not at all)");
  }
  template <class V>
  void input_fields(V& v) {
    v.field("input_expand_dims", input_expand_dims, "how many axes of size 1 join the spatial ones");
    v.field("input_split_feature_dim", input_split_feature_dim,
            "the feature axis is split in (rest, this): the rest is spatial");
    v.field("input_add_feature_dim", input_add_feature_dim, "the feature axis is spatial, a new one has size 1");
  }
};

/// The input as [batch axes..., spatial axes..., feature], the batch axes being all that are not named.
class SpatialInput {
 public:
  SpatialInput() = default;
  /// count: how many spatial axes there must be.
  SpatialInput(const Data& x, const SpatialInputArgs& args, size_t count, const LayerContext& context);

  const Data& data() const { return data_; }  ///< the axes in the new order
  int batch_axes() const { return batch_axes_; }
  std::vector<Dim> spatial_dims() const;
  /// The result's template: other spatial dims and feature dim.
  Data with(const std::vector<Dim>& spatial, const Dim& feature) const;
  /// x in the new order, [B,S...,F]: several batch axes as one. mask_value: see use_time_mask.
  Expr arrange(LayerBuilder& builder, const LayerOutput& x, double mask_value) const;
  /// From [B,O...,N] to the axes of `out`.
  Expr restore(Expr y, const Data& out) const;

 private:
  void expand(const SpatialInputArgs& args, const std::string& name, std::vector<int>& spatial);

  Data expanded_;           ///< with the axes that options add, in the old order
  std::vector<int> order_;  ///< from there to data_
  Data data_;
  int batch_axes_ = 1;
  std::vector<int> masked_;  ///< dynamic spatial axes of the input whose padding is masked
};

/// A number or a sequence of `count` numbers.
std::vector<int> per_axis(const Value& option, size_t count, int fallback, const char* name);

/// How an axis is padded: "same", "valid", "same_static" or a number per axis.
struct SpatialPadding {
  enum class Kind { kSame, kValid, kSameStatic, kExplicit } kind = Kind::kValid;
  std::vector<int> sizes;  ///< kExplicit

  SpatialPadding() = default;
  SpatialPadding(const Value& option, size_t count);
  /// What windows of `size` leave of the spatial axes `in`, and how the padding goes into `options`, which has strides
  /// and dilations. `layer` is its absolute name.
  std::vector<Dim> place(const std::vector<Dim>& in, const std::vector<int>& size, const std::string& layer,
                         ops::ConvOptions& options) const;

 private:
  /// Size (or lengths) of an axis after a window of `reach` elements walked over it.
  Dim out_dim(const Dim& in, int axis, int window, int stride, int dilation, const std::string& name) const;
  /// Zeros on the left of an axis; kSame does without, since the sizes say it.
  int left(const Dim& in, int axis, int window, int stride) const;
};

}  // namespace wende

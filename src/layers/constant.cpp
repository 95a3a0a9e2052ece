#include "layers/dim_tag.h"
#include "layers/layer_builder.h"
#include "ops/leaf.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ConstantArgs {
  Value value, dtype, shape, sparse_dim;
  bool with_batch_dim = false;

  template <class V>
  void fields(V& v) {
    v.field("value", value, "a number or nested lists of numbers (0)");
    v.field("shape", shape,
            "sizes or dim tags (batch_dim, with a size, or of extern_data) that the number is repeated to");
    v.field("dtype", dtype, "float32 or int32; guessed from the value");
    v.field("with_batch_dim", with_batch_dim, "adds a batch axis");
    v.field("sparse_dim", sparse_dim, "number of classes of an index");
  }
};

class ConstantLayer : public Layer {
 public:
  explicit ConstantLayer(ConstantArgs args) : args_(std::move(args)) {
    if (args_.value.is_none()) {
      args_.value = Value::of(0.0);
    }
    read_value();
  }

  Data out_data(const LayerContext& context) override {
    Data out;
    out.name = context.name;
    out.dtype = dtype_;
    if (args_.with_batch_dim) {
      out.dims.push_back(batch_dim(context));
    }
    const auto shape = args_.shape.is_sequence() ? args_.shape.items() : std::vector<Value>();
    for (size_t i = 0; i < sizes_.size(); ++i) {
      const Dim::Kind kind = i + 1 == sizes_.size() ? Dim::Kind::kFeature : Dim::Kind::kSpatial;
      const bool tag = i < shape.size() && shape[i].kind() == Value::Kind::kDim;
      out.dims.push_back(tag && is_batch_tag(shape[i]) ? batch_dim(context)
                         : tag && sizes_[i] < 0        ? fed_dim_of_tag(shape[i])
                         : tag                         ? dim_of_tag(shape[i], kind)
                                                       : Dim::fixed(sizes_[i], kind, context.absolute_name + ":const"));
    }
    out.set_default_marks();
    if (args_.sparse_dim.is_number()) {
      out.sparse_dim = Dim::fixed(args_.sparse_dim.as_int());
      out.feature_axis = -1;
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    if (values_.size() == 1) {
      return ops::constant(builder.graph(), values_[0], dtype_, out.dims);
    }
    std::vector<Dim> dims(out.dims.end() - static_cast<std::ptrdiff_t>(sizes_.size()), out.dims.end());
    Expr x = ops::constant_array(builder.graph(), tensor(), dims);
    return args_.with_batch_dim ? ops::broadcast_to(ops::expand_dims(x, 0), out.dims) : x;
  }

 private:
  void read_value() {
    const Value& value = args_.value;
    if (value.is_number() || value.kind() == Value::Kind::kBool) {
      values_ = {value.is_number() ? value.as_float() : value.as_bool() ? 1.0 : 0.0};
      dtype_ = value.kind() == Value::Kind::kInt    ? DType::kInt32
               : value.kind() == Value::Kind::kBool ? DType::kBool
                                                    : DType::kFloat32;
    } else {
      auto [sizes, values] = value.as_array();
      sizes_ = sizes;
      values_ = values;
    }
    if (args_.shape.is_sequence()) {
      for (const Value& size : args_.shape.items()) {
        sizes_.push_back(shape_entry(size));
      }
    }
    if (args_.dtype.is_string()) {
      dtype_ = dtype_from_name(args_.dtype.as_string());
    }
  }

  /// A number, or what a dim tag has; -1 for the batch axis and for an axis of the data.
  static int64_t shape_entry(const Value& entry) {
    if (entry.kind() != Value::Kind::kDim) {
      return entry.as_int();
    }
    if (is_batch_tag(entry)) {
      return -1;
    }
    const Value* size = entry.find("dimension");
    if (size && size->is_number()) {
      return size->as_int();
    }
    if (!fed_dim_of_tag(entry).defined()) {
      throw entry.error("constant: " + tag_text(entry) + " has no size, and no data key has this axis");
    }
    return -1;
  }

  /// The batch axis of a source or target, else the network's.
  static Dim batch_dim(const LayerContext& context) {
    for (const std::vector<Data>* list : {&context.sources, &context.targets}) {
      for (const Data& data : *list) {
        if (data.has_batch()) {
          return data.dims[static_cast<size_t>(data.batch_axis())];
        }
      }
    }
    return context.batch_dim.defined() ? context.batch_dim : Dim::batch();
  }

  Tensor tensor() const {
    const Shape shape(sizes_);
    if (dtype_ == DType::kInt32) {
      return Tensor::of(std::vector<int32_t>(values_.begin(), values_.end()), shape);
    }
    return Tensor::of(std::vector<float>(values_.begin(), values_.end()), shape);
  }

  ConstantArgs args_;
  DType dtype_ = DType::kFloat32;
  std::vector<int64_t> sizes_;
  std::vector<double> values_;
};

const RegisterLayer<ConstantLayer, ConstantArgs> kRegister{
    "constant",
    {},
    "A number or array of the config.",
    {R"({"class": "constant", "value": 0.5, "is_output_layer": True})"}};

}  // namespace
}  // namespace wende

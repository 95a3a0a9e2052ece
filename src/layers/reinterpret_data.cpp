#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/dim_tag.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ReinterpretDataArgs {
  Value switch_axes, size_base, batch_dim_base, set_axes, set_dim_tags, enforce_batch_major, enforce_time_major;
  Value set_sparse, set_sparse_dim, increase_sparse_dim;

  template <class V>
  void fields(V& v) {
    v.field("switch_axes", switch_axes, "\"bt\" and the like: these axes swap their roles");
    v.field("size_base", size_base, "layer whose time axis gives the lengths");
    v.field("batch_dim_base", batch_dim_base, "not supported");
    v.field("set_axes", set_axes, "dict: role (T, F) -> axis");
    v.field("set_dim_tags", set_dim_tags, "dict: axis -> dim tag that it stands for from here on");
    v.field("enforce_batch_major", enforce_batch_major, "the batch axis first");
    v.field("enforce_time_major", enforce_time_major, "the time axis first");
    v.field("set_sparse", set_sparse, "True: values are indices; False: they are numbers");
    v.field("set_sparse_dim", set_sparse_dim, "number of classes of the values");
    v.field("increase_sparse_dim", increase_sparse_dim, "adds to the number of classes");
  }
};

bool is_on(const Value& option) { return !option.is_none() && option.as_bool(); }

/// Other labels on the same numbers; only enforce_* move anything.
class ReinterpretDataLayer : public Layer {
 public:
  explicit ReinterpretDataLayer(ReinterpretDataArgs args) : args_(std::move(args)) {
    if (!args_.batch_dim_base.is_none()) {
      throw args_.batch_dim_base.error("batch_dim_base is not supported by Wende " WENDE_VERSION);
    }
    if (!args_.switch_axes.is_none()) {
      throw args_.switch_axes.error("switch_axes is not supported by Wende " WENDE_VERSION);
    }
  }

  std::vector<std::string> refs() const override {
    return args_.size_base.is_none() ? std::vector<std::string>{}
                                     : std::vector<std::string>{args_.size_base.as_string()};
  }

  Data out_data(const LayerContext& context) override {
    Data out = concat_input_data(context.sources, context.name);
    out = out.permuted(order_ = order_of(out));
    set_lengths(context, out);
    set_sparse(context, out);
    set_marks(context, out);
    set_tags(context, out);
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const Expr x = permute_if_needed(builder.input().expr, order_);
    return ops::cast(ops::reshape(x, builder.out_data().dims), builder.out_data().dtype);
  }

 private:
  std::vector<int> order_of(const Data& x) const {
    const int first = is_on(args_.enforce_batch_major)  ? x.batch_axis()
                      : is_on(args_.enforce_time_major) ? x.time_axis
                                                        : -1;
    return order_with_first(x.rank(), {first});
  }

  void set_lengths(const LayerContext& context, Data& out) const {
    if (args_.size_base.is_none()) {
      return;
    }
    const Data& base = context.refs.at(args_.size_base.as_string());
    if (!base.has_time() || !out.has_time()) {
      throw args_.size_base.error(fmt::format("size_base needs time axes: {} and {}", base.str(), out.str()));
    }
    out.dims[static_cast<size_t>(out.time_axis)] = base.time_dim();
  }

  void set_sparse(const LayerContext& context, Data& out) const {
    if (!args_.set_sparse.is_none() && !args_.set_sparse.as_bool()) {
      out.sparse_dim = Dim();
      out.dtype = DType::kFloat32;
      return;
    }
    const int64_t given = out.sparse() && out.sparse_dim.is_static() ? out.sparse_dim.size() : 0;
    int64_t size = given;
    if (!args_.set_sparse_dim.is_none()) {
      const bool tag = args_.set_sparse_dim.kind() == Value::Kind::kDim;
      size = tag ? dim_of_tag(args_.set_sparse_dim, Dim::Kind::kFeature).size() : args_.set_sparse_dim.as_int();
    }
    if (!args_.increase_sparse_dim.is_none()) {
      if (!out.sparse()) {
        throw args_.increase_sparse_dim.error("increase_sparse_dim needs sparse data, got " + out.str());
      }
      size = (size > 0 ? size : out.sparse_dim.size()) + args_.increase_sparse_dim.as_int();
    }
    if (is_on(args_.set_sparse) && size == 0 && !out.sparse()) {
      throw args_.set_sparse.error("set_sparse needs set_sparse_dim");
    }
    if (size > 0 && size != given) {
      out.sparse_dim = Dim::fixed(size, Dim::Kind::kFeature, context.absolute_name + ":sparse");
      out.feature_axis = -1;
      out.dtype = DType::kInt32;
    }
    if (args_.set_sparse_dim.kind() == Value::Kind::kDim) {
      declare_tag(out.sparse_dim, args_.set_sparse_dim);
    }
  }

  /// A dim of its own for each tag, as long as the old one: attention over the same frames twice tells them apart.
  void set_tags(const LayerContext& context, Data& out) const {
    if (!args_.set_dim_tags.is_dict()) {
      return;
    }
    for (const auto& [axis, tag] : args_.set_dim_tags.entries()) {
      if (tag.kind() != Value::Kind::kDim) {
        throw tag.error("set_dim_tags is a dict of axis: dim tag, got " + tag.repr());
      }
      const int at = axis_of_option(out, axis, context.behavior_version);
      Dim& dim = out.dims[static_cast<size_t>(at)];
      if (dim_matches_tag(dim, tag)) {
        continue;
      }
      if (dim.is_batch()) {
        throw tag.error("set_dim_tags for the batch axis is not supported by Wende " WENDE_VERSION);
      }
      dim = dim.is_static() ? Dim::fixed(dim.size(), dim.kind(), context.absolute_name + ":set_dim_tags")
                            : Dim::derived(Dim::Op::kAdd, {dim, Dim::fixed(0)}, dim.kind(), tag_text(tag));
      declare_tag(dim, tag);
    }
  }

  void set_marks(const LayerContext& context, Data& out) const {
    if (!args_.set_axes.is_dict()) {
      return;
    }
    for (const auto& [role, axis] : args_.set_axes.entries()) {
      const int at = axis.is_none() ? -1 : axis_of_option(out, axis, context.behavior_version);
      const std::string word = role.as_string();
      if (word == "T" || word == "t" || word == "time") {
        out.time_axis = at;
      } else if (word == "F" || word == "f" || word == "feature") {
        out.feature_axis = at;
      } else {
        throw role.error("set_axes knows T and F, got " + role.repr());
      }
    }
  }

  ReinterpretDataArgs args_;
  std::vector<int> order_;
};

const RegisterLayer<ReinterpretDataLayer, ReinterpretDataArgs> kRegister{
    "reinterpret_data",
    {},
    "The same numbers with other labels on the axes and values.",
    {R"({"class": "reinterpret_data", "increase_sparse_dim": 1, "from": "data:classes"})",
     R"({"class": "reinterpret_data", "enforce_time_major": True, "from": "data"})"}};

}  // namespace
}  // namespace wende

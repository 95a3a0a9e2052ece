#include <fmt/core.h>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/dim_tag.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct TileArgs {
  Value multiples, out_dims;

  template <class V>
  void fields(V& v) {
    v.field("multiples", multiples, "dict of axis: how often");
    v.field("out_dims", out_dims, "dict of axis: dim tag that it stands for");
  }
};

/// Whole axes of fixed size several times.
class TileLayer : public Layer {
 public:
  explicit TileLayer(TileArgs args) : args_(std::move(args)) {
    if (!args_.multiples.is_dict()) {
      throw args_.multiples.error("tile needs 'multiples': a dict of axis: how often, got " + args_.multiples.repr());
    }
  }

  Data out_data(const LayerContext& context) override {
    Data out = concat_input_data(context.sources, context.name);
    const Data x = out;
    times_.clear();
    for (const auto& [axis, count] : args_.multiples.entries()) {
      const int at = axis_of_option(x, axis, context.behavior_version);
      Dim& dim = out.dims[static_cast<size_t>(at)];
      if (count.as_int() < 1 || (count.as_int() > 1 && (dim.is_dynamic() || dim.is_batch()))) {
        throw count.error(
            fmt::format("tile repeats axes of fixed size once or more often, got {} for {}", count.repr(), dim.str()));
      }
      dim = count.as_int() == 1 ? dim
                                : Dim::fixed(dim.size() * count.as_int(), dim.kind(), context.absolute_name + ":tile");
      times_.emplace_back(at, count.as_int());
    }
    if (args_.out_dims.is_dict()) {
      for (const auto& [axis, tag] : args_.out_dims.entries()) {
        declare_tag(out.dims[static_cast<size_t>(axis_of_option(x, axis, context.behavior_version))], tag);
      }
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    Expr x = builder.input().expr;
    for (const auto& [axis, count] : times_) {
      if (count > 1) {
        x = ops::concat(std::vector<Expr>(static_cast<size_t>(count), x), axis, out.dims[static_cast<size_t>(axis)]);
      }
    }
    return x;
  }

 private:
  TileArgs args_;
  std::vector<std::pair<int, int64_t>> times_;
};

const RegisterLayer<TileLayer, TileArgs> kRegister{
    "tile", {}, "Whole axes several times.", {R"({"class": "tile", "multiples": {"F": 2}, "from": "data"})"}};
}  // namespace
}  // namespace wende

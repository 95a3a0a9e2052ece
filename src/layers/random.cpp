#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "layers/alignment.h"
#include "layers/dim_tag.h"
#include "layers/filler.h"
#include "layers/layer_builder.h"
#include "layers/layer_names.h"
#include "ops/dropout.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

/// The axes that 'shape' names: sizes, dim tags, the batch axis. A tag of unknown size is an axis of a source.
std::vector<Dim> dims_of_shape(const LayerContext& context, const Value& shape) {
  if (!shape.is_sequence()) {
    throw shape.error("'shape' is a list of sizes or dim tags, got " + shape.repr());
  }
  std::vector<Data> known = context.sources;
  for (const auto& [name, data] : context.refs) {
    known.push_back(data);
  }
  std::vector<Dim> dims;
  for (size_t i = 0; i < shape.items().size(); ++i) {
    const Value& item = shape.items()[i];
    const Dim::Kind kind = i + 1 == shape.items().size() ? Dim::Kind::kFeature : Dim::Kind::kSpatial;
    if (item.kind() != Value::Kind::kDim) {
      if (item.as_int() < 0) {
        throw item.error("a size must not be negative, got " + item.repr());
      }
      dims.push_back(Dim::fixed(item.as_int(), kind, fmt::format("{}:static:{}", context.absolute_name, i)));
      continue;
    }
    Dim dim = is_batch_tag(item) ? context.batch_dim : Dim();
    for (const Data& data : known) {
      const int axis = dim.defined() ? -1 : axis_of_tag(data, item);
      dim = axis < 0 ? dim : data.dims[static_cast<size_t>(axis)];
    }
    if (!dim.defined()) {
      dim = dim_of_tag(item, kind);
      if (dim.is_dynamic()) {
        throw item.error(tag_text(item) + " has no size here: name a layer that has it in 'shape_deps'");
      }
    }
    dims.push_back(dim);
  }
  return dims;
}

void refuse_in_loop(const LayerContext& context) {
  if (context.loop_time.defined()) {
    throw context.options.error("random numbers of a layer inside of a loop are not supported by Wende " WENDE_VERSION);
  }
}

Data random_data(const LayerContext& context, const Value& shape, const std::string& dtype, const Value& sparse_dim) {
  Data out;
  out.name = context.name;
  out.dtype = dtype_from_name(dtype);
  out.dims = dims_of_shape(context, shape);
  out.set_default_marks();
  if (!sparse_dim.is_none()) {
    const bool tag = sparse_dim.kind() == Value::Kind::kDim;
    out.sparse_dim = tag ? dim_of_tag(sparse_dim, Dim::Kind::kFeature) : Dim::fixed(sparse_dim.as_int());
    out.feature_axis = -1;
  }
  return out;
}

struct RandomArgs {
  Value shape, mean, stddev, bound, minval, maxval, sparse_dim, feature_dim, seed, algorithm, explicit_state,
      auto_update_state, shape_deps;
  std::string distribution;
  std::string dtype = "float32";
  bool is_static = false;
  bool stop_grad = false;

  template <class V>
  void fields(V& v) {
    v.field("shape", shape, "sizes or dim tags");
    v.field("distribution", distribution, "uniform, normal or truncated_normal");
    v.field("mean", mean, "number or layer (0)");
    v.field("stddev", stddev, "number or layer (1)");
    v.field("bound", bound, "number or layer: uniform in [-bound, bound)");
    v.field("minval", minval, "number or layer: where uniform numbers begin (0)");
    v.field("maxval", maxval, "number or layer: where they end, not included");
    v.field("dtype", dtype, "float32, or int32 for uniform numbers");
    v.field("sparse_dim", sparse_dim, "number of classes of an index");
    v.field("feature_dim", feature_dim, "accepted; the last axis is the feature");
    v.field("seed", seed, "number or list: what a static float layer of fixed size begins with; others do without");
    v.field("algorithm", algorithm, "accepted; it is always Philox");
    v.field("explicit_state", explicit_state, "not supported");
    v.field("auto_update_state", auto_update_state, "not supported");
    v.field("static", is_static, "the same numbers in all steps");
    v.field("shape_deps", shape_deps, "layers whose axes 'shape' names");
    v.field("stop_grad", stop_grad, "no gradient to the parameters of the distribution");
  }
};

/// Random numbers, new in each step.
class RandomLayer : public Layer {
 public:
  explicit RandomLayer(RandomArgs args) : args_(std::move(args)) {
    if (args_.distribution != "uniform" && args_.distribution != "normal" && args_.distribution != "truncated_normal") {
      throw Error(ExitStatus::kConfig, "random: unknown distribution '" + args_.distribution + "'")
          .hint(did_you_mean(args_.distribution, {"uniform", "normal", "truncated_normal"}));
    }
    for (const Value* option : {&args_.explicit_state, &args_.auto_update_state}) {
      if (!option->is_none()) {
        throw option->error("random with a state of its own is not supported by Wende " WENDE_VERSION);
      }
    }
    check_bounds();
  }

  std::vector<std::string> refs() const override {
    std::vector<std::string> names =
        layer_names({&args_.mean, &args_.stddev, &args_.bound, &args_.minval, &args_.maxval});
    if (args_.shape_deps.is_sequence()) {
      for (const Value& name : args_.shape_deps.items()) {
        names.push_back(name.as_string());
      }
    }
    return names;
  }

  Data out_data(const LayerContext& context) override {
    refuse_in_loop(context);
    const Data out = random_data(context, args_.shape, args_.dtype, args_.sparse_dim);
    if (out.dtype != DType::kFloat32 && (out.dtype != DType::kInt32 || args_.distribution != "uniform")) {
      throw context.options.error("random: dtype must be float32, or int32 for uniform numbers, got " + args_.dtype);
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    const uint32_t key = builder.random_key("random");
    Expr x;
    if (args_.distribution == "uniform") {
      x = uniform(builder, out, key);
    } else {
      const Expr unit = drawn_once(out) ? fixed_numbers(builder, out)
                        : args_.distribution == "normal"
                            ? ops::random_normal(builder.graph(), out.dims, 1.0, key, args_.is_static)
                            : truncated(ops::random_uniform(builder.graph(), out.dims, 0.0, 1.0, key, args_.is_static));
      x = ops::add(ops::mul(unit, value(builder, args_.stddev, 1.0)), value(builder, args_.mean, 0.0));
    }
    return args_.stop_grad ? ops::stop_gradient(x) : x;
  }

 private:
  static bool any(std::initializer_list<const Value*> options) {
    for (const Value* option : options) {
      if (!option->is_none()) {
        return true;
      }
    }
    return false;
  }

  void check_bounds() const {
    const bool range = any({&args_.minval, &args_.maxval});
    const bool moments = any({&args_.mean, &args_.stddev});
    const bool bound = any({&args_.bound});
    const bool uniform = args_.distribution == "uniform";
    const bool fits = uniform ? (range ? !args_.maxval.is_none() && !moments && !bound
                                       : bound != moments && (bound || !args_.stddev.is_none()))
                              : !range && !bound;
    if (!fits) {
      throw Error(ExitStatus::kConfig, uniform
                                           ? "random: uniform numbers need either maxval (and minval), or bound, or "
                                             "stddev (and mean)"
                                           : "random: " + args_.distribution + " takes mean and stddev only");
    }
  }

  /// A number or a layer, as something that broadcasts over the output; undefined option: `fallback`.
  static Expr value(LayerBuilder& builder, const Value& option, double fallback, DType dtype = DType::kFloat32) {
    if (!option.is_string()) {
      return ops::constant(builder.graph(), option.is_none() ? fallback : option.as_float(), dtype);
    }
    const LayerOutput x = builder.ref(option.as_string());
    return ops::cast(x.data.rank() == 0 ? x.expr : align_to(x, builder.out_data()), dtype);
  }

  Expr uniform(LayerBuilder& builder, const Data& out, uint32_t key) const {
    const Expr unit = drawn_once(out) ? fixed_numbers(builder, out)
                                      : ops::random_uniform(builder.graph(), out.dims, 0.0, 1.0, key, args_.is_static);
    Expr low = value(builder, args_.minval, 0.0);
    Expr high = value(builder, args_.maxval, 0.0);
    if (args_.maxval.is_none()) {
      const Expr half = args_.bound.is_none() ? ops::scale(value(builder, args_.stddev, 1.0), std::sqrt(3.0))
                                              : value(builder, args_.bound, 0.0);
      const Expr mean = value(builder, args_.mean, 0.0);
      low = ops::sub(mean, half);
      high = ops::add(mean, half);
    }
    const Expr scaled = ops::mul(unit, ops::sub(high, low));
    if (out.dtype == DType::kFloat32) {
      return ops::add(scaled, low);
    }
    return ops::cast(ops::add(ops::unary(ops::Unary::kFloor, scaled), low), DType::kInt32);
  }

  bool drawn_once(const Data& out) const {
    return args_.is_static && out.dtype == DType::kFloat32 &&
           std::all_of(out.dims.begin(), out.dims.end(), [](const Dim& dim) { return dim.is_static(); });
  }

  /// The numbers of TensorFlow's random.Generator. Its counter and key are the first three words of the seed, which a
  /// network gives to layers that have none; a number is the first of these, a shorter list the last.
  Expr fixed_numbers(LayerBuilder& builder, const Data& out) const {
    std::vector<uint64_t> words;
    if (const Value* seed = builder.context().options.find("seed"); seed && seed->is_sequence()) {
      for (const Value& word : seed->items()) words.push_back(static_cast<uint64_t>(word.as_int()));
    } else if (seed && !seed->is_none()) {
      words = {static_cast<uint64_t>(seed->as_int()), 0, 0};
    }
    while (words.size() < 3) words.insert(words.begin(), 0);
    const uint64_t low = words[0], high = words[1], key = words[2];
    Shape shape;
    for (const Dim& dim : out.dims) shape.push_back(dim.size());
    Tensor numbers = Tensor::empty(DType::kFloat32, shape);
    Filler filler(numbers, {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(high),
                            static_cast<uint32_t>(high >> 32), low});
    if (args_.distribution == "uniform") {
      filler.uniform(0.0, 1.0);
    } else if (args_.distribution == "normal") {
      filler.normal(0.0, 1.0);
    } else {
      filler.truncated_normal(0.0, 1.0);
    }
    return ops::constant_array(builder.graph(), numbers, out.dims);
  }

  /// N(0, 1) within two standard deviations: sqrt(2) erf^-1 of uniform numbers, by a formula of Winitzki (2008) with an
  /// error of 2e-3 and two steps of Newton.
  static Expr truncated(Expr uniform) {
    constexpr double kWithin = 0.95449973610364158;  // erf(sqrt(2))
    constexpr double kA = 0.147;
    const Expr y = ops::add_scalar(ops::scale(uniform, 2 * kWithin), -kWithin);
    const Expr log =
        ops::unary(ops::Unary::kLog, ops::add_scalar(ops::scale(ops::unary(ops::Unary::kSquare, y), -1.0), 1.0));
    const Expr t = ops::add_scalar(ops::scale(log, 0.5), 2 / (M_PI * kA));
    const Expr inner =
        ops::unary(ops::Unary::kSqrt, ops::sub(ops::unary(ops::Unary::kSquare, t), ops::scale(log, 1 / kA)));
    Expr x = ops::mul(ops::unary(ops::Unary::kSign, y), ops::unary(ops::Unary::kSqrt, ops::sub(inner, t)));
    for (int step = 0; step < 2; ++step) {
      const Expr slope = ops::scale(ops::unary(ops::Unary::kExp, ops::scale(ops::unary(ops::Unary::kSquare, x), -1.0)),
                                    2 / std::sqrt(M_PI));
      x = ops::sub(x, ops::div(ops::sub(ops::unary(ops::Unary::kErf, x), y), slope));
    }
    return ops::stop_gradient(ops::scale(x, std::sqrt(2.0)));
  }

  RandomArgs args_;
};

struct RandIntArgs {
  Value shape, maxval, minval, sparse_dim, seed;
  std::string dtype = "int32";

  template <class V>
  void fields(V& v) {
    v.field("shape", shape, "sizes or dim tags");
    v.field("maxval", maxval, "number or scalar layer: the end, not included");
    v.field("minval", minval, "number or scalar layer: the smallest number (0)");
    v.field("dtype", dtype, "int32");
    v.field("sparse_dim", sparse_dim, "number of classes of an index");
    v.field("seed", seed, "accepted; numbers depend on the run's seed and the layer's name");
  }
};

RandomArgs as_uniform(const RandIntArgs& args) {
  RandomArgs result;
  result.shape = args.shape;
  result.distribution = "uniform";
  result.minval = args.minval;
  result.maxval = args.maxval;
  result.sparse_dim = args.sparse_dim;
  result.dtype = args.dtype == "int64" ? "int32" : args.dtype;
  return result;
}

class RandIntLayer : public RandomLayer {
 public:
  explicit RandIntLayer(const RandIntArgs& args) : RandomLayer(as_uniform(args)) {}
};

const RegisterLayer<RandomLayer, RandomArgs> kRegister{
    "random",
    {},
    "Random numbers of a distribution, new in each step.",
    {R"({"class": "random", "shape": (3, 4), "distribution": "truncated_normal", "stddev": 0.5, "is_output_layer": True})",
     R"({"class": "random", "shape": (2,), "distribution": "uniform", "bound": 0.1, "static": True, "is_output_layer": True})"}};
const RegisterLayer<RandIntLayer, RandIntArgs> kRegisterRandInt{
    "rand_int",
    {},
    "Random whole numbers, new in each step.",
    {R"({"class": "rand_int", "shape": (3,), "minval": 2, "maxval": 7, "is_output_layer": True})"}};

}  // namespace
}  // namespace wende

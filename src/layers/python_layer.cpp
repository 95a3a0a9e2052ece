#include "layers/python_layer.h"

#include <fmt/core.h>

#include <algorithm>

#include "config/config.h"
#include "layers/eval_source.h"
#include "layers/layer_builder.h"
#include "layers/out_type.h"

namespace wende {
namespace {

class PythonLayer : public Layer {
 public:
  PythonLayer(Value functions, Value options) : functions_(std::move(functions)), options_(std::move(options)) {}

  /// The class's template is read as a function of out_type.
  Data out_data(const LayerContext& context) override {
    LayerContext asked = context;
    asked.options = context.options.with("out_type", *functions_.find("template"));
    Data out = context.sources.empty() ? Data() : context.sources[0];
    out.name = context.name;
    apply_out_type(asked, out);
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    std::vector<Value> sources;
    for (int i = 0; i < builder.source_count(); ++i) {
      sources.push_back(Value::dict({{Value::of("__wende_layer__"), Value::of(builder.source(i).data.name)},
                                     {Value::of("output"), source_object(builder, builder.source(i), i)}}));
    }
    KeywordArgs arguments{{"name", Value::of(builder.context().name)},
                          {"sources", Value::list(std::move(sources))},
                          {"output", data_value(out, 0)},
                          {"options", own_options()}};
    if (functions_.find("concatenates")->as_bool()) {
      arguments.emplace_back("input", source_object(builder, builder.input(), 0));
    }
    const Expr result = traced_for_layer(builder, [&] {
      return traced_expr(builder.graph(), functions_.find("build")->as_callable().call({}, arguments));
    });
    const bool fits = result.rank() == out.rank() && result.dtype() == out.dtype &&
                      std::equal(out.dims.begin(), out.dims.end(), result.dims().begin(),
                                 [](const Dim& a, const Dim& b) { return a.same_size(b); });
    if (!fits) {
      throw options_.error(
          fmt::format("the class computes {}, but get_out_data_from_opts says {}", result.type().str(), out.str()));
    }
    return result;
  }

 private:
  /// Sources and the class are known already.
  Value own_options() const {
    std::vector<Value::Entry> entries;
    for (const auto& [key, value] : options_.entries()) {
      if (key.as_string() != "class" && key.as_string() != "from") {
        entries.emplace_back(key, value);
      }
    }
    return Value::dict(std::move(entries));
  }

  Value functions_;
  Value options_;
};

}  // namespace

std::optional<LayerClass> python_layer_class(const std::string& name, const Value& place) {
  const Value functions =
      evaluate_expression("_wende_layer_class(layer_class)", place.span(), {{"layer_class", Value::of(name)}});
  if (functions.is_none()) {
    return std::nullopt;
  }
  LayerClass entry;
  entry.name = name;
  entry.doc = "A class of the config.";
  entry.make = [functions](const Value& options) { return std::make_unique<PythonLayer>(functions, options); };
  return entry;
}

}  // namespace wende

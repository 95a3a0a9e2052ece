#include "layers/eval_source.h"

#include "layers/alignment.h"
#include "layers/out_type.h"
#include "layers/outer_layout.h"
#include "ops/check.h"

namespace wende {

Value source_object(LayerBuilder& builder, const LayerOutput& source, int index) {
  Value data = data_value(source.data, index).with("placeholder", traced(source.expr));
  if (source.data.has_batch() && source.data.has_time() && source.data.time_dim().is_dynamic()) {
    const Value lengths = traced(builder.lengths(source.data.time_dim()));
    const int axis = source.data.time_axis - (source.data.batch_axis() < source.data.time_axis ? 1 : 0);
    data = data.with("lengths", lengths)
               .with("size_placeholder", Value::dict({{Value::of(static_cast<int64_t>(axis)), lengths}}));
  }
  return data;
}

namespace {

Value source_function(LayerBuilder& builder, const std::vector<LayerOutput>& sources) {
  std::vector<Data> templates;
  for (const LayerOutput& each : sources) {
    templates.push_back(each.data);
  }
  const LayerContext& context = builder.context();
  const Data layout = sources.empty() ? Data() : outer_layout(templates, context.name, context.behavior_version);
  return native_function(
      "source", [&builder, &sources, layout](const std::vector<Value>& args, const KeywordArgs& kwargs) {
        int64_t index = 0;
        bool batch_major = false;
        bool as_data = false;
        if (!args.empty()) {
          index = args[0].as_int();
        }
        for (const auto& [key, value] : kwargs) {
          if (key == "i") {
            index = value.as_int();
          } else if (key == "enforce_batch_major") {
            batch_major = value.as_bool();
          } else if (key == "as_data") {
            as_data = value.as_bool();
          }
        }
        if (index < 0 || index >= static_cast<int64_t>(sources.size())) {
          throw Error(ExitStatus::kConfig, "source(" + std::to_string(index) + "): the layer has " +
                                               std::to_string(sources.size()) + " sources");
        }
        if (as_data) {
          return source_object(builder, sources[static_cast<size_t>(index)], static_cast<int>(index));
        }
        Expr x = align_to(sources[static_cast<size_t>(index)], layout);
        const int batch = layout.batch_axis();
        if (batch_major && batch > 0 && x.rank() == layout.rank()) {
          std::vector<int> order = order_with_last(layout.rank(), batch);
          order.insert(order.begin(), batch);
          order.pop_back();
          x = permute_if_needed(x, order);
        }
        return traced(x);
      });
}

}  // namespace

namespace {

Expr evaluate(LayerBuilder& builder, const std::vector<LayerOutput>& sources, const Value& eval, const Value& locals) {
  const Value source = source_function(builder, sources);
  if (eval.is_callable()) {
    KeywordArgs kwargs{{"source", source}, {"self", evaluate_expression("self", eval.span(), {})}};
    if (locals.is_dict()) {
      for (const auto& [key, value] : locals.entries()) {
        kwargs.emplace_back(key.as_string(), value);
      }
    }
    return traced_expr(builder.graph(), eval.as_callable().call({}, kwargs));
  }
  std::vector<std::pair<std::string, Value>> names{{"source", source}};
  if (locals.is_dict()) {
    for (const auto& [key, value] : locals.entries()) {
      names.emplace_back(key.as_string(), value);
    }
  }
  for (const char* function : {"safe_log", "swish"}) {
    names.emplace_back(
        function, native_function(function, [&builder, function](const std::vector<Value>& args, const KeywordArgs&) {
          return traced(traced_unary(function, traced_expr(builder.graph(), args.at(0))));
        }));
  }
  names.emplace_back("py_print",
                     native_function("py_print", [&builder](const std::vector<Value>& args, const KeywordArgs& kwargs) {
                       return apply_traced(builder.graph(), "py_print", args, kwargs);
                     }));
  return traced_expr(builder.graph(), evaluate_expression(eval.as_string(), eval.span(), names));
}

}  // namespace

Expr traced_for_layer(LayerBuilder& builder, const std::function<Expr()>& trace) {
  TraceLayer layer;
  layer.train = builder.context().train;
  layer.random_key = [&builder](const std::string& name) { return builder.random_key(name); };
  layer.variable = [&builder](const std::string& name, const Shape& shape, const Value& init, bool trainable) {
    return builder.param(name, shape, init, "glorot_uniform", trainable);
  };
  const GraphTrace tracing(builder.graph(), &layer);
  Expr result = trace();
  for (const auto& [holds, message] : layer.checks) {
    result = ops::checked(result, holds, message);
  }
  return result;
}

Expr evaluate_sources(LayerBuilder& builder, const std::vector<LayerOutput>& sources, const Value& eval,
                      const Value& locals) {
  return traced_for_layer(builder, [&] { return evaluate(builder, sources, eval, locals); });
}

}  // namespace wende

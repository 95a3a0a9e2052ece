#include "layers/eval_source.h"

#include <algorithm>

#include "layers/alignment.h"
#include "layers/axis_order.h"
#include "layers/out_type.h"
#include "layers/outer_layout.h"
#include "ops/check.h"
#include "ops/shape.h"

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

/// The axis of `out` that means what axis `at` of `layout` does: by identity, then by role; -1 = none.
int meant_axis(const Data& layout, int at, const Data& out) {
  if (const int same = out.axis_of(layout.dims[static_cast<size_t>(at)]); same >= 0) {
    return same;
  }
  return at == layout.batch_axis()   ? out.batch_axis()
         : at == layout.time_axis    ? out.time_axis
         : at == layout.feature_axis ? out.feature_axis
                                     : -1;
}

/// The sources' common layout in the order of the axes of `out`, which an out_type may have given: sources come as they
/// fit the result (auto_convert). Where they have an axis that the result lacks, their own order stays.
Data layout_for_result(const Data& layout, const Data& out) {
  Data ordered = out;
  std::vector<bool> taken(out.dims.size(), false);
  for (int axis = 0; axis < layout.rank(); ++axis) {
    const int to = meant_axis(layout, axis, out);
    if (to < 0 || taken[static_cast<size_t>(to)]) {
      return layout;
    }
    taken[static_cast<size_t>(to)] = true;
    ordered.dims[static_cast<size_t>(to)] = layout.dims[static_cast<size_t>(axis)];
  }
  return ordered;
}

struct SourceCall {
  int64_t index = 0;
  bool convert = true;
  bool batch_major = false;
  bool as_data = false;
};

/// The arguments of source(i, auto_convert=True, enforce_batch_major=False, as_data=False).
SourceCall source_call(const std::vector<Value>& args, const KeywordArgs& kwargs, size_t sources) {
  SourceCall call;
  const auto set = [&](const std::string& key, const Value& value) {
    if (key == "i") {
      call.index = value.as_int();
    } else if (key == "auto_convert") {
      call.convert = value.as_bool();
    } else if (key == "enforce_batch_major") {
      call.batch_major = value.as_bool();
    } else if (key == "as_data") {
      call.as_data = value.as_bool();
    } else {
      throw Error(ExitStatus::kConfig, "source() has no argument '" + key + "' in Wende " WENDE_VERSION)
          .hint(did_you_mean(key, {"i", "auto_convert", "enforce_batch_major", "as_data"}));
    }
  };
  static const char* const kPositional[] = {"i", "auto_convert", "enforce_batch_major", "as_data"};
  for (size_t i = 0; i < args.size() && i < std::size(kPositional); ++i) {
    set(kPositional[i], args[i]);
  }
  for (const auto& [key, value] : kwargs) {
    set(key, value);
  }
  if (call.index < 0 || call.index >= static_cast<int64_t>(sources)) {
    throw Error(ExitStatus::kConfig, "source(" + std::to_string(call.index) + "): the layer has " +
                                         std::to_string(sources) + (sources == 1 ? " source" : " sources"));
  }
  return call;
}

/// The source as it is asked for. A template goes with a tensor of its own axes only, so none that are missing are
/// added.
LayerOutput converted(const LayerOutput& source, const SourceCall& call, const Data& layout) {
  LayerOutput x = source;
  if (call.convert && source.data.rank() == layout.rank()) {
    x.data = source.data.permuted(match_axes(source.data, layout));
    x.expr = align_to(source, layout);
  } else if (call.convert && !call.as_data) {
    x = {layout, align_to(source, layout)};
  }
  return call.batch_major && x.expr.rank() == x.data.rank() ? with_axis_first(x, x.data.batch_axis()) : x;
}

Value source_function(LayerBuilder& builder, const std::vector<LayerOutput>& sources) {
  std::vector<Data> templates;
  for (const LayerOutput& each : sources) {
    templates.push_back(each.data);
  }
  const LayerContext& context = builder.context();
  const Data common = sources.empty() ? Data() : outer_layout(templates, context.name, context.behavior_version);
  const Data layout = layout_for_result(common, builder.out_data());
  return native_function(
      "source", [&builder, &sources, layout](const std::vector<Value>& args, const KeywordArgs& kwargs) {
        const SourceCall call = source_call(args, kwargs, sources.size());
        const LayerOutput x = converted(sources[static_cast<size_t>(call.index)], call, layout);
        return call.as_data ? source_object(builder, x, static_cast<int>(call.index)) : traced(x.expr);
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

#include "layers/eval_source.h"

#include "layers/alignment.h"

namespace wende {
namespace {

Value source_function(LayerBuilder& builder, const std::vector<LayerOutput>& sources) {
  const Data layout = broadcast_layout(builder.context().sources, builder.context().name);
  return native_function("source", [&sources, layout](const std::vector<Value>& args, const KeywordArgs& kwargs) {
    int64_t index = 0;
    bool batch_major = false;
    if (!args.empty()) {
      index = args[0].as_int();
    }
    for (const auto& [key, value] : kwargs) {
      if (key == "i") {
        index = value.as_int();
      } else if (key == "enforce_batch_major") {
        batch_major = value.as_bool();
      } else if (key == "as_data" && value.as_bool()) {
        throw value.error("source(..., as_data=True) is not supported");
      }
    }
    if (index < 0 || index >= static_cast<int64_t>(sources.size())) {
      throw Error(ExitStatus::kConfig, "source(" + std::to_string(index) + "): the layer has " +
                                           std::to_string(sources.size()) + " sources");
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

Expr evaluate_sources(LayerBuilder& builder, const std::vector<LayerOutput>& sources, const Value& eval,
                      const Value& locals) {
  const GraphTrace trace(builder.graph());
  const Value source = source_function(builder, sources);
  if (eval.is_callable()) {
    KeywordArgs kwargs{{"source", source}, {"self", Value()}};
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
  return traced_expr(builder.graph(), evaluate_expression(eval.as_string(), eval.span(), names));
}

void apply_out_type(const Value& options, Data& out) {
  const Value* type = options.is_dict() ? options.find("out_type") : nullptr;
  if (type == nullptr || !type->is_dict()) {
    return;
  }
  if (const Value* dtype = type->find("dtype"); dtype != nullptr && !dtype->is_none()) {
    out.dtype = dtype_from_name(dtype->as_string());
  }
  const Value* sparse = type->find("sparse");
  const Value* dim = type->find("dim");
  const bool has_dim = dim != nullptr && dim->kind() == Value::Kind::kInt;
  if (sparse != nullptr && sparse->as_bool()) {
    if (out.dtype == DType::kFloat32 && type->find("dtype") == nullptr) {
      out.dtype = DType::kInt32;
    }
    if (has_dim) {
      out.sparse_dim = Dim::fixed(dim->as_int(), Dim::Kind::kFeature, out.name + ":sparse");
    }
    return;
  }
  if (has_dim && out.feature_axis >= 0 && !out.sparse()) {
    Dim& feature = out.dims[static_cast<size_t>(out.feature_axis)];
    if (feature.is_dynamic() || feature.size() != dim->as_int()) {
      feature = Dim::fixed(dim->as_int(), Dim::Kind::kFeature, out.name + ":feature");
    }
  }
}

}  // namespace wende

#include "engine/row_gradients.h"

#include <algorithm>

#include "graph/accumulate.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "optim/gradient_processing.h"
#include "optim/optimizer_options.h"

namespace wende {

namespace {

Expr squares_of(const std::vector<ops::TableRows>& parts) {
  std::vector<Expr> squares;
  for (const ops::TableRows& part : parts) {
    squares.push_back(ops::sum_all(ops::mul(part.values, part.values)));
  }
  return accumulate(squares);
}

/// [V]
Expr marks_of(const std::vector<ops::TableRows>& parts, const Dim& labels) {
  std::vector<Expr> marks;
  for (const ops::TableRows& part : parts) {
    const Expr ones = ops::constant(*part.indices.graph, 1.0, DType::kFloat32, part.indices.dims());
    marks.push_back(ops::scatter_add(ones, part.indices, labels));
  }
  return accumulate(marks);
}

}  // namespace

std::map<std::string, RowSumExprs> row_sums(const Config& config, const NetworkWithGradients& training) {
  const OptimizerDefaults defaults = optimizer_defaults(config);
  const Value default_optimizer = default_optimizer_options(config, defaults);
  const GradientOptions common = GradientOptions::from_config(config);
  std::map<std::string, GradientOptions> options;
  for (const std::string& name : training.updated) {
    options[name] = common.with_layer_options(training.network->updater_opts(name));
  }
  const bool global =
      std::any_of(options.begin(), options.end(), [](const auto& entry) { return entry.second.needs_global_norm(); });
  std::map<std::string, RowSumExprs> result;
  for (const auto& [name, parts] : training.rows) {
    const Value own_optimizer = optimizer_options(training.network->updater_opts(name), default_optimizer);
    const bool touched = options.at(name).updates_rows() &&
                         optimizer_of(own_optimizer, default_optimizer, defaults)->updates_touched_rows_only();
    if (!global && !touched && !options.at(name).clips_norm_of_rows()) {
      continue;
    }
    const Dim labels = training.network->param_expr(name).dim(0);
    result[name] = {squares_of(parts), touched ? marks_of(parts, labels) : Expr()};
  }
  return result;
}

}  // namespace wende

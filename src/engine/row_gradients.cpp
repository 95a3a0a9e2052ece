#include "engine/row_gradients.h"

#include <algorithm>

#include "graph/accumulate.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "optim/gradient_processing.h"

namespace wende {

std::map<std::string, Expr> row_squares(const Config& config, const NetworkWithGradients& training) {
  const GradientOptions common = GradientOptions::from_config(config);
  std::map<std::string, GradientOptions> options;
  for (const std::string& name : training.updated) {
    options[name] = common.with_layer_options(training.network->updater_opts(name));
  }
  const bool global =
      std::any_of(options.begin(), options.end(), [](const auto& entry) { return entry.second.needs_global_norm(); });
  std::map<std::string, Expr> result;
  for (const auto& [name, parts] : training.rows) {
    if (!global && !options.at(name).clips_norm_of_rows()) {
      continue;
    }
    std::vector<Expr> squares;
    for (const ops::TableRows& part : parts) {
      squares.push_back(ops::sum_all(ops::mul(part.values, part.values)));
    }
    result[name] = accumulate(squares);
  }
  return result;
}

}  // namespace wende

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "layers/batch_norm.h"
#include "layers/general_types.h"
#include "layers/option_types.h"
#include "network/construction.h"
#include "network/known_classes.h"

namespace wende {
namespace {

void check_ranges(const Value& options, ErrorCollector& errors) {
  if (const Value* noise = given(options, "param_variational_noise")) {
    errors.run([&] {
      if (!(noise->as_float() >= 0.0)) {
        throw noise->error("param_variational_noise is a standard deviation, >= 0, got " + noise->repr());
      }
    });
  }
  if (const Value* scope = given(options, "name_scope"); scope && scope->is_string()) {
    if (const std::string& text = scope->as_string(); text.ends_with("/")) {
      errors.add(scope->error("name_scope must not end with a \"/\", got " + scope->repr()));
    }
  }
}

}  // namespace

void NetworkConstruction::check_general_options(const LayerPlan& plan) const {
  const Value& options = plan.options;
  check_general_types(options);
  check_own_types(plan.class_name, options);
  ErrorCollector errors;
  check_ranges(options, errors);
  if (const Value* n_out = given(options, "n_out")) {
    errors.run([&] {
      if (n_out->kind() != Value::Kind::kDim && n_out->as_int() <= 0) {
        throw n_out->error(fmt::format("n_out must be > 0, got {}", n_out->repr()));
      }
      if (n_out->kind() != Value::Kind::kDim && n_out->as_int() > std::numeric_limits<int32_t>::max()) {
        throw n_out->error(fmt::format("n_out must be < 2**31, got {}", n_out->repr()));
      }
    });
  }
  for (const char* name : {"state", "initial_state"}) {
    if (const Value* state = given(options, name); state && !has_state(plan.class_name)) {
      errors.run([&] { throw state->error(fmt::format("layer class '{}' has no '{}'", plan.class_name, name)); });
    }
  }
  if (const Value* importer = given(options, "custom_param_importer")) {
    errors.run([&] {
      const std::vector<std::string> modes{"ifpossible", "subset", "reset"};
      if (importer->is_callable()) {
        throw importer->error("functions of custom_param_importer are not supported by Wende " WENDE_VERSION);
      }
      if (std::find(modes.begin(), modes.end(), importer->as_string()) == modes.end()) {
        throw importer->error("unknown custom_param_importer " + importer->repr())
            .hint(did_you_mean(importer->as_string(), modes));
      }
    });
  }
  if (const Value* value = given(options, "batch_norm")) {
    errors.run([&] { batch_norm_args(*value); });
  }
  errors.throw_if_any();
}

}  // namespace wende

#include "optim/optimizer.h"

#include <fmt/core.h>

#include "base/lower_case.h"
#include "optim/updater.h"

namespace wende {
namespace {

std::map<std::string, OptimizerFactory>& registry() {
  static std::map<std::string, OptimizerFactory> classes;
  return classes;
}

template <class F>
void apply_formula(const F& formula, const OptimizerRange& range) {
  float* __restrict w = range.values;
  const float* __restrict g = range.gradient;
  const auto slot = [&](size_t i) { return range.slots[i]; };
  if constexpr (F::kSlots == 0) {
    for (size_t i = 0; i < range.count; ++i) formula(w[i], g[i]);
  } else if constexpr (F::kSlots == 1) {
    float* __restrict a = slot(0);
    for (size_t i = 0; i < range.count; ++i) formula(w[i], g[i], a[i]);
  } else if constexpr (F::kSlots == 2) {
    float* __restrict a = slot(0);
    float* __restrict b = slot(1);
    for (size_t i = 0; i < range.count; ++i) formula(w[i], g[i], a[i], b[i]);
  } else {
    float* __restrict a = slot(0);
    float* __restrict b = slot(1);
    float* __restrict c = slot(2);
    for (size_t i = 0; i < range.count; ++i) formula(w[i], g[i], a[i], b[i], c[i]);
  }
}

}  // namespace

void Optimizer::apply(const OptimizerRange& range, double learning_rate, int64_t update) const {
  if (by_norm()) {
    double squares = 0;
    for (size_t i = 0; i < range.count; ++i) squares += double{range.gradient[i]} * range.gradient[i];
    learning_rate = rate_by_norm(learning_rate, squares);
  }
  std::visit([&](const auto& f) { apply_formula(f, range); }, formula(learning_rate, update));
}

void Optimizer::apply_untouched(const OptimizerRange& range) const {
  const std::optional<UpdateFormula> formula = untouched_formula();
  if (formula) std::visit([&](const auto& f) { apply_formula(f, range); }, *formula);
}

OptimizerRegistration::OptimizerRegistration(const char* name, OptimizerFactory factory) {
  registry()[name] = std::move(factory);
}

std::string optimizer_key(const std::string& class_name) {
  std::string key = lower_case(class_name);
  if (key.ends_with("optimizer") && key.size() > 9) key.resize(key.size() - 9);
  return key;
}

std::vector<std::string> optimizer_class_names() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : registry()) names.push_back(name);
  return names;
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& class_name, const Value& place, const Value& options,
                                          const OptimizerDefaults& defaults) {
  auto found = registry().find(optimizer_key(class_name));
  if (found == registry().end()) {
    std::string known;
    for (const std::string& name : optimizer_class_names()) known += (known.empty() ? "" : ", ") + name;
    std::string hint = did_you_mean(optimizer_key(class_name), optimizer_class_names());
    throw place.error(fmt::format("unknown optimizer class '{}'", class_name))
        .hint((hint.empty() ? "" : hint + "; ") + "known classes: " + known);
  }
  return found->second(options, defaults);
}

}  // namespace wende

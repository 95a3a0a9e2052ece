#include "network/random_seeds.h"

#include <string>
#include <string_view>

#include "base/lower_case.h"
#include "network/construction.h"

namespace wende {

namespace {

constexpr int64_t kRange = int64_t{1} << 31;

int64_t remainder(int64_t value) { return ((value % kRange) + kRange) % kRange; }

/// Units that take a seed for a dropout of their own, whether they have one or not.
bool has_own_dropout(const Value& options) {
  const Value* unit = options.find("unit");
  if (!unit || !unit->is_string()) {
    return false;
  }
  const std::string name = lower_case(unit->as_string());
  return name == "layernormvariantslstm" || name == "rhn";
}

}  // namespace

uint32_t network_seed(const Config& config) {
  // Set where networks differ by epoch; a network that never changes is that of the first.
  const int64_t epoch = config.get_int("network_epoch", 1);
  const int64_t seed = config.get_int("random_seed", 0);
  return static_cast<uint32_t>(seed == 0 ? epoch : remainder(epoch * 3 + remainder(seed) * 5 + 7));
}

uint64_t graph_seed(const Config& config) {
  constexpr uint64_t kWithoutSeed = 42;
  if (config.get_int("random_seed", 0) == 0) return kWithoutSeed;
  return static_cast<uint64_t>(remainder(int64_t{network_seed(config)} * 2 + 3));
}

/// A level's stream of seeds starts with a number of the level around it, as RETURNN's networks do.
void NetworkConstruction::start_random(NetworkLevel& level) {
  if (network_ == real_.get() && !level.random) {
    level.random.emplace(level.parent ? draw_seed(*level.parent) : network_seed(config_));
  }
}

/// Passes that only find templates take none.
uint32_t NetworkConstruction::draw_seed(NetworkLevel& level) {
  if (network_ != real_.get()) {
    return 0;
  }
  start_random(level);
  return static_cast<uint32_t>(level.random->randint(0, int64_t{1} << 31));
}

/// Layers with random numbers of their own take 32 words of the stream, unless their option says what they begin with.
void NetworkConstruction::give_seed(LayerPlan& plan) {
  constexpr size_t kWords = 32;
  if (plan.class_name != "random" || given(plan.options, "seed") || given(plan.options, "explicit_state")) {
    return;
  }
  std::vector<Value> words(kWords);
  for (Value& word : words) {
    word = Value::of(static_cast<int64_t>(draw_seed(*plan.level)));
  }
  plan.context.options = plan.context.options.with("seed", Value::list(std::move(words)));
}

/// A rec layer draws the seeds of all its options before it makes a variable, and only without an option for weights
/// one for its own initialiser.
void NetworkConstruction::draw_unit_seeds(LayerPlan& plan) {
  if (plan.class_name != "rec" || plan.scope_seed || !plan.init_seeds.empty()) {
    return;
  }
  bool weights = false;
  for (const char* option : {"forward_weights_init", "recurrent_weights_init", "bias_init"}) {
    if (const Value* init = plan.options.find(option); init && !init->is_none()) {
      plan.init_seeds[init->path()] = draw_seed(*plan.level);
      weights |= std::string_view(option) != "bias_init";
    }
  }
  if (!weights) {
    plan.scope_seed = draw_seed(*plan.level);
  }
  if (has_own_dropout(plan.options)) {
    draw_seed(*plan.level);
  }
}

/// RETURNN draws a seed for each initialiser whose option is not 0, in the order of the variables; the variables of a
/// rec unit without an option are made by one initialiser, constants that no option gives without a seed.
uint32_t NetworkConstruction::initial_seed(LayerPlan& plan, const Value& init, const std::string& fallback) {
  draw_unit_seeds(plan);
  if (const auto own = plan.init_seeds.find(init.path()); !init.is_none() && own != plan.init_seeds.end()) {
    return own->second;
  }
  if (init.is_none() && fallback == "xavier") {
    if (!plan.scope_seed) {
      plan.scope_seed = draw_seed(*plan.level);
      if (has_own_dropout(plan.options)) {
        draw_seed(*plan.level);
      }
    }
    return *plan.scope_seed;
  }
  const bool constant = fallback == "zeros" || fallback == "ones" || fallback.find_first_of("-0123456789") == 0;
  const bool none = init.is_none() ? constant : init.is_number() && init.as_float() == 0;
  return none ? 0 : draw_seed(*plan.level);
}

}  // namespace wende

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "config/args.h"
#include "network/rec_subnet.h"

namespace wende {

using Names = std::vector<std::string>;
using DependencyTest = std::function<bool(const RecSubnet::Dependency&)>;

/// Whether a choice takes the best labels, or its target.
bool NetworkConstruction::searches(const Value& choice) const {
  const Value* option = given(choice, "search");
  return option && option->kind() == Value::Kind::kBool ? option->as_bool() : options_.search;
}

/// In a search, a choice that does not search itself: it takes its target and adds that one's score.
bool NetworkConstruction::adds_scores(const Value& choice) const {
  const Value* option = given(choice, "add_to_beam_scores");
  return options_.search && !searches(choice) && (!option || truthy(option));
}

int RecSubnet::Search::stage_of(const std::string& layer) const {
  const auto found =
      std::find_if(choices.begin(), choices.end(), [&](const Choice& choice) { return choice.layer == layer; });
  return found == choices.end() ? 0 : static_cast<int>(found - choices.begin()) + 1;
}

namespace {

bool is_choice(const Value& dict) {
  const Value* klass = dict.is_dict() ? dict.find("class") : nullptr;
  return klass && klass->is_string() && klass->as_string() == "choice";
}

/// The choices that a layer of the unit reads by such dependencies, directly or through other layers. past_choices:
/// also those that the choices found read themselves.
Names choices_before(const RecSubnet& rec, const Names& choices, const std::string& layer, bool past_choices,
                     const DependencyTest& follow) {
  Names seen, found;
  const std::function<void(const std::string&)> visit = [&](const std::string& at) {
    const auto list = rec.dependencies.find(at);
    for (const RecSubnet::Dependency& dependency :
         list == rec.dependencies.end() ? std::vector<RecSubnet::Dependency>() : list->second) {
      const std::string& name = dependency.layer;
      if (!follow(dependency) || std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      seen.push_back(name);
      const bool chooses = std::find(choices.begin(), choices.end(), name) != choices.end();
      if (chooses) found.push_back(name);
      if (!chooses || past_choices) visit(name);
    }
  };
  visit(layer);
  return found;
}

Dim beam_batch(const Dim& batch, int64_t size, const std::string& name) {
  return Dim::derived(Dim::Op::kMul, {batch, Dim::fixed(size)}, Dim::Kind::kBatch, "beam:" + name);
}

int64_t beam_size(const Value& choice) {
  const Value* size = choice.find("beam_size");
  if (!size || size->kind() != Value::Kind::kInt || size->as_int() < 1) {
    throw choice.error("choice needs a beam_size of at least 1 in search");
  }
  return size->as_int();
}

}  // namespace

/// The time axis of a target that is data and that a choice of a search needs: the loop is as long, whatever its layer
/// "end" says. Undefined: none does.
Dim NetworkConstruction::target_time_of_choices(NetworkLevel& around, const Value& unit) {
  for (const std::string& name : sorted_names(unit)) {
    const Value& dict = *unit.find(name);
    const Value* target = is_choice(dict) ? given(dict, "target") : nullptr;
    if (!target || !(adds_scores(dict) || (searches(dict) && truthy(dict.find("cheating"))))) continue;
    const Value first = items_of(*target).at(0);
    const TargetRef ref = target_ref(around, first.as_string(), first, "");
    if (!ref.key.empty() && ref.data.has_time()) return ref.data.time_dim();
  }
  return {};
}

/// The choices that the unit has, in no order yet: the template pass gives their rows one common batch axis.
void NetworkConstruction::prepare_search(RecSubnet& rec) {
  RecSubnet::Search search;
  const Value* searching = nullptr;
  for (const std::string& name : sorted_names(rec.dict)) {
    const Value& dict = *rec.dict.find(name);
    if (!is_choice(dict) || !reads_scores(dict)) continue;
    const std::string absolute = rec.plan->context.absolute_name + "/" + name;
    const bool own = searches(dict);
    searching = own ? &dict : searching;
    search.choices.push_back({absolute, own ? beam_size(dict) : 0, Dim(), Expr()});
  }
  if (!searching) {
    return;
  }
  if (rec.around->loop) {
    throw searching->error("a search inside of another loop is not supported by Wende " WENDE_VERSION);
  }
  if (rec.rows.defined()) {
    throw searching
        ->error("a search in a loop over the hypotheses of another search is not supported by Wende " WENDE_VERSION)
        .hint("put a 'decide' layer in between: it gives the best hypothesis of the other one");
  }
  const Dim common = beam_batch(batch_dim(*rec.around), beam_size(*searching), rec.plan->context.absolute_name);
  for (RecSubnet::Choice& choice : search.choices) {
    choice.batch = common;
  }
  rec.search = std::make_shared<RecSubnet::Search>(std::move(search));
}

/// Brings the choices that are used into the order of a step: each one reads all those before it. True: templates are
/// to be made once more, since hypotheses are other ones than the last pass took for granted.
bool NetworkConstruction::order_choices(RecSubnet& rec) {
  RecSubnet::Search& search = *rec.search;
  const Dim assumed = search.batch(0);
  const auto local = [&](const RecSubnet::Choice& choice) { return rec.local(choice); };
  Names names;
  std::erase_if(search.choices,
                [&](const RecSubnet::Choice& choice) { return rec.templates.count(choice.layer) == 0; });
  for (const RecSubnet::Choice& choice : search.choices) {
    names.push_back(local(choice));
  }
  if (std::all_of(search.choices.begin(), search.choices.end(),
                  [](const RecSubnet::Choice& choice) { return choice.size == 0; })) {
    rec.search.reset();
    return true;
  }
  const auto before = [&](const RecSubnet::Choice& choice) {
    return choices_before(rec, names, local(choice), true,
                          [](const RecSubnet::Dependency& dependency) { return !dependency.previous; });
  };
  std::sort(search.choices.begin(), search.choices.end(), [&](const RecSubnet::Choice& a, const RecSubnet::Choice& b) {
    return before(a).size() < before(b).size();
  });
  const std::string last = local(search.choices.back());
  for (size_t i = 0; i < search.choices.size(); ++i) {
    const std::string name = local(search.choices[i]);
    const Names cycle = choices_before(rec, names, name, false, [](const RecSubnet::Dependency&) { return true; });
    const bool goes_on = i > 0 || names.size() == 1 || std::find(cycle.begin(), cycle.end(), last) != cycle.end();
    if (before(search.choices[i]).size() == i && goes_on) continue;
    const std::string other = i > 0 ? local(search.choices[i - 1]) : "prev:" + last;
    throw rec.dict.find(name)
        ->error(fmt::format("the choice '{}' does not go on from the hypotheses of '{}': in a search the choices of a "
                            "loop must build on each other, in one order",
                            name, other))
        .hint(fmt::format("let it read '{0}', or add \"explicit_search_source\": \"{0}\"", other));
  }
  const auto searching = std::find_if(search.choices.rbegin(), search.choices.rend(),
                                      [](const RecSubnet::Choice& choice) { return choice.size > 0; });
  int64_t size = searching->size;  // a choice that takes its target keeps the hypotheses that there are
  for (RecSubnet::Choice& choice : search.choices) {
    size = choice.size = choice.size > 0 ? choice.size : size;
    choice.batch = beam_batch(batch_dim(*rec.around), size, choice.layer);
  }
  return search.choices.size() > 1 || !search.batch(0).same_size(assumed);
}

}  // namespace wende

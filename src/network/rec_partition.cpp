#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "base/log.h"
#include "network/rec_subnet.h"

namespace wende {
namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Layers that tell what a choice did are where it is.
bool sees_choices(const Value* dict) {
  const Value* klass = dict && dict->is_dict() ? dict->find("class") : nullptr;
  const std::string name = klass && klass->is_string() ? klass->as_string() : "";
  return name == "choice_get_src_beams" || name == "choice_get_beam_scores" || name == "decide_keep_beam";
}

/// RETURNN's decision: first what nothing in the loop reads moves behind it, then, as long as possible, further such
/// layers, and layers that read nothing of the loop, to the front.
class Partition {
 public:
  Partition(const RecSubnet& rec, Names layers) : rec_(rec), inside(std::move(layers)) {}

  void run() {
    while (move_one_after()) {
    }
    while (move_one_after() || move_one_before()) {
    }
  }

  const RecSubnet& rec_;
  Names inside, before, after;

 private:
  bool reads(const std::string& reader, const std::string& layer) const {
    const auto found = rec_.dependencies.find(reader);
    return found != rec_.dependencies.end() &&
           std::any_of(found->second.begin(), found->second.end(),
                       [&](const RecSubnet::Dependency& dependency) { return dependency.layer == layer; });
  }

  Names collocated(const std::string& layer) const {
    const Value* dict = rec_.dict.find(layer);
    const Value* with = dict && dict->is_dict() ? dict->find("collocate_with") : nullptr;
    if (!with && sees_choices(dict)) {
      with = dict->find("from");
    }
    Names names;
    if (with && with->is_string()) {
      names.push_back(with->as_string());
    } else if (with && with->is_sequence()) {
      for (const Value& name : with->items()) {
        names.push_back(name.as_string());
      }
    }
    return names;
  }

  /// A search's choice needs what it chose in the step before.
  bool chooses(const std::string& layer) const {
    return rec_.search && rec_.search->stage_of(rec_.inside.absolute(layer)) > 0;
  }

  bool can_move_after(const std::string& layer, Names& together) const {
    together.push_back(layer);
    if (layer == "end" || chooses(layer) || reads(layer, layer)) {
      return false;
    }
    for (const std::string& other : inside) {
      if (contains(together, other)) {
        continue;
      }
      if (contains(collocated(layer), other) || contains(collocated(other), layer)) {
        if (can_move_after(other, together)) {
          continue;
        }
        return false;
      }
      if (reads(other, layer)) {
        return false;
      }
    }
    return true;
  }

  bool can_move_before(const std::string& layer) const {
    return layer != ":i" && layer != "end" && !chooses(layer) &&
           std::none_of(inside.begin(), inside.end(), [&](const std::string& other) {
             return reads(layer, other) || contains(collocated(layer), other);
           });
  }

  bool move(const std::function<bool(const std::string&)>& can, Names& to) {
    const auto found = std::find_if(inside.begin(), inside.end(), can);
    if (found == inside.end()) {
      return false;
    }
    to.push_back(*found);
    inside.erase(found);
    return true;
  }

  bool move_one_after() {
    return move(
        [this](const std::string& layer) {
          Names together;
          return can_move_after(layer, together);
        },
        after);
  }
  bool move_one_before() {
    return move([this](const std::string& layer) { return can_move_before(layer); }, before);
  }
};

}  // namespace

void RecSubnet::partition(const std::vector<std::string>& needed) {
  Names layers;
  const std::function<void(const std::string&)> visit = [&](const std::string& name) {
    if (contains(layers, name)) {
      return;
    }
    layers.push_back(name);
    if (const auto found = dependencies.find(name); found != dependencies.end()) {
      for (const Dependency& dependency : found->second) {
        visit(dependency.layer);
      }
    }
  };
  for (const std::string& name : needed) {
    visit(name);
  }
  Partition partition(*this, std::move(layers));
  if (optimize) {
    partition.run();
  } else {
    std::sort(partition.inside.begin(), partition.inside.end());
  }
  before_loop = partition.before;
  inside_loop = partition.inside;
  after_loop = partition.after;
  for (const std::string& name : before_loop) places[name] = RecPlace::kBefore;
  for (const std::string& name : inside_loop) places[name] = RecPlace::kInside;
  for (const std::string& name : after_loop) places[name] = RecPlace::kAfter;
  for (const std::string& name : sorted_names(dict)) {
    if (places.count(name) == 0) {
      unused.push_back(name);
    }
  }
}

/// The lines that RETURNN prints, in its words.
void NetworkConstruction::print_partition(const RecSubnet& rec) const {
  const auto flag = [](bool on) { return on ? "True" : "False"; };
  log_line(3, fmt::format("Rec layer '{}' (search {}, train {}) sub net:", rec.plan->context.absolute_name,
                          flag(options_.search), flag(options_.train)));
  const auto list = [](const char* title, const Names& names) {
    log_line(3, fmt::format("  {}: (#: {})", title, names.size()));
    for (const std::string& name : names) {
      log_line(3, "    " + name);
    }
    if (names.empty()) {
      log_line(3, "    None");
    }
  };
  list("Input layers moved out of loop", rec.before_loop);
  list("Output layers moved out of loop", rec.after_loop);
  list("Layers in loop", rec.inside_loop);
  list("Unused layers", rec.unused);
}

}  // namespace wende

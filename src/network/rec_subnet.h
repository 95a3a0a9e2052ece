#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "network/construction.h"
#include "ops/loop.h"

namespace wende {

/// Where a layer of a unit is built: on all frames before the loop, in its body, or on all frames after it.
enum class RecPlace { kBefore, kInside, kAfter };

/// What is known of a layer of the unit before it is built in earnest.
struct RecTemplate {
  Data data;                           ///< of one step
  std::map<std::string, Data> states;  ///< sub-outputs that have a value before the first step: "last_h", ...
};

/// A rec layer with a unit of layers, while it is built. Phases: templates and dependencies (rec_template.cpp), places
/// (rec_partition.cpp), the loop and the layers around it (rec_emit.cpp). A unit has three levels, one per place;
/// a layer is built in one of them, and the others see it as slices or stacks (rec_resolve.cpp).
struct RecSubnet {
  /// A layer's output, or a sub-output, of the step before.
  struct State {
    NetworkLevel* level = nullptr;
    std::string layer;  ///< absolute name
    std::string local;  ///< its name in its level
    std::string key;    ///< "" = the output itself
    Data data;
    Expr leaf;
  };
  /// One that goes on from batch to batch, in a leaf of the graph around the loop.
  struct KeptState {
    std::string leaf;
    std::string layer, key;  ///< of the State
  };
  struct Dependency {
    std::string layer;
    bool previous = false;
    bool operator<(const Dependency& other) const {
      return std::pair(layer, previous) < std::pair(other.layer, other.previous);
    }
  };

  LayerPlan* plan = nullptr;  ///< of the rec layer
  NetworkLevel* around = nullptr;
  Value dict;
  bool optimize = true;
  bool draft = false;  ///< a template pass: what is built is thrown away
  Dim rows;            ///< [B*beam] of a loop whose target is all hypotheses of a search; else undefined
  std::shared_ptr<const Beam> target_beam;  ///< that search
  Dim around_time;                          ///< what the loop runs over, as the layers around know it
  Dim time;  ///< the same in the unit: there, a layer of the encoder's frames keeps the encoder's axis
  /// Of unknown length: `time` is what max_seq_len allows, out_time what the layer "end" says. Else out_time is time.
  bool open_ended = false;
  bool include_eos = false;
  Dim out_time;
  Expr sequence_lengths;  ///< open-ended: state of the loop, int32 [B]; after it, the lengths themselves
  struct Choice {
    std::string layer;  ///< absolute name
    int64_t size = 1;   ///< hypotheses per sequence
    Dim batch;          ///< [B*size]
    Expr rows;          ///< in the body, once it is built: which hypothesis of the stage before each one goes on from
  };
  /// A search. The choices of a step follow each other, each goes on from the hypotheses of the one before, the first
  /// from those of the last one in the step before. Stage k: the hypotheses after k of the step's choices.
  struct Search {
    std::vector<Choice> choices;       ///< in the order of a step
    std::vector<Expr> origins;         ///< in the body, by stage: the rows that those after the last choice go on from
    std::vector<Expr> traced;          ///< after the loop, by stage: the rows [out_time,B*size] of the final hypotheses
    std::shared_ptr<const Beam> beam;  ///< after the loop
    int last_stage() const { return static_cast<int>(choices.size()); }
    const Dim& batch(int stage) const {
      return stage == 0 ? choices.back().batch : choices[static_cast<size_t>(stage) - 1].batch;
    }
    /// The stage that a choice leads to; 0: the layer is none of the search's choices.
    int stage_of(const std::string& layer) const;
  };
  std::shared_ptr<Search> search;
  bool has_input = false;
  LayerOutput input;  ///< time-major, over `time`; or one without time axis

  std::map<std::string, RecTemplate> templates;  ///< by absolute name
  std::map<std::string, std::vector<Dependency>> dependencies;
  std::vector<std::string> open;  ///< layers of the unit under construction, in template passes
  std::vector<std::pair<NetworkLevel*, std::string>> previous_layers;  ///< that prev: named, in template passes
  std::set<std::string> used_templates;                                ///< their absolute names

  std::map<std::string, RecPlace> places;
  std::vector<std::string> before_loop, inside_loop, after_loop, unused;

  NetworkLevel before, inside, after;
  std::unique_ptr<ops::LoopBuilder> loop;
  bool finished = false;  ///< the loop stands
  std::vector<std::unique_ptr<State>> states;
  std::map<std::pair<std::string, std::string>, State*> states_by_name;  ///< by layer and key
  std::map<std::pair<std::string, std::string>, Expr> initials;          ///< by layer and key, set by the layer itself
  std::map<std::string, const BuiltLayer*> built;                        ///< layers of the body, by absolute name
  std::vector<KeptState> kept_states;
  struct Mask {
    LayerOutput output;
    int stage = 0;  ///< BuiltLayer::stage
  };
  std::map<std::string, Mask> masks;                 ///< of masked_computation layers, by absolute name
  std::vector<std::unique_ptr<LayerPlan>> deferred;  ///< layers of the body with losses

  NetworkLevel& level(RecPlace place) {
    return place == RecPlace::kBefore ? before : place == RecPlace::kInside ? inside : after;
  }
  RecPlace place_of(const NetworkLevel& of) const {
    return &of == &before ? RecPlace::kBefore : &of == &inside ? RecPlace::kInside : RecPlace::kAfter;
  }
  void add_dependency(const std::string& layer, bool previous);
  void partition(const std::vector<std::string>& needed);
  void prepare_levels(Network& effects, ErrorCollector& errors);
  LayerOutput slice(const LayerOutput& x);  ///< all frames -> one step, in the body
  /// One step -> all frames [out_time, ...]; after the loop is finished. stage: BuiltLayer::stage.
  LayerOutput stack(const LayerOutput& x, int stage);
  bool back_prop = true;
  Expr stacked(Expr x) const;
  LayerOutput stack_untraced(const LayerOutput& x);  ///< in a search: rows as they were in each step
  /// `now` where the mask of this masked_computation is true, else `before`; both are of one template. stage: in, that
  /// of `now`; out, that of the result: the later one of `now` and the mask. `before` has stage 0.
  Expr where_masked(const std::string& mask, LayerOutput now, int& stage, LayerOutput before);
  /// In a search's body: x of the hypotheses of another, later stage.
  LayerOutput move(const LayerOutput& x, int from, int to);
  void keep_origins();
  std::string local(const Choice& choice) const;  ///< its name in the unit
  Data at_stage(Data data, int stage) const;      ///< in a search's body: with the batch axis of the stage
  LayerOutput full(const LayerOutput& x);         ///< with the axis of frames first, repeated along it if it has none
  LayerOutput inside_time(LayerOutput x) const;   ///< the axis `around_time` becomes `time`
  LayerOutput outside(LayerOutput x) const;       ///< and back
  const Dim& frames() const { return finished ? out_time : time; }
};

bool is_masked_computation(const Value* dict);
/// The dict of a masked_computation's unit, with the layer's own input for "data".
Value unit_of_masked(const Value& dict);
/// The mask [B] with size 1 on the other axes of `data`.
Expr mask_for(const LayerOutput& mask, const Data& data);

/// A layer that a template pass cannot build yet, because the output of the step before is not known yet.
inline constexpr const char* kUnknownYet = "UNKNOWN_YET";

}  // namespace wende

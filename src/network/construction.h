#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random_state.h"
#include "layers/frames_of_mask.h"
#include "network/network.h"
#include "network/sequence_lengths.h"

namespace wende {

struct NetworkLevel;
struct BuiltLayer;
struct RecSubnet;
struct LayerPlan;

/// A target of a layer: the template is always there, the numbers are made when somebody asks.
struct TargetRef {
  Data data;
  std::string key;  ///< extern data key, or ""
  const BuiltLayer* layer = nullptr;
};

/// A layer that stands: its output and what other layers may ask of it.
struct BuiltLayer {
  std::string name;               ///< absolute
  NetworkLevel* level = nullptr;  ///< where it is built; nullptr for data that are fed
  std::string class_name;
  Value options;
  LayerOutput output;
  std::map<std::string, LayerOutput> sub_outputs;
  std::map<std::string, std::string> params;  ///< local name -> variable
  std::vector<std::string> owned;             ///< variables that are not borrowed through reuse_params
  std::vector<TargetRef> targets;             ///< of its "target" option or its loss
  RecSubnet* unit = nullptr;                  ///< of a rec layer with a unit of layers
  std::shared_ptr<const Beam> beam;           ///< its batch axis holds the hypotheses of this search
  int stage = 0;     ///< in the loop of a search: its rows are the hypotheses after so many of this step's choices
  bool raw = false;  ///< behind the loop, too, its rows are the hypotheses that there were in each step
};

/// One network dict: the root's, that of a subnetwork layer, or one side of a rec layer's unit (see rec_subnet.h).
struct NetworkLevel {
  NetworkLevel* parent = nullptr;
  Graph* graph = nullptr;      ///< where its layers are built
  RecSubnet* unit = nullptr;   ///< the rec layer whose unit this is
  RecSubnet* loop = nullptr;   ///< the loop in whose body this level's layers run; nullptr: in none
  Network* effects = nullptr;  ///< where its layers' parameters, losses and sinks go
  ErrorCollector* errors = nullptr;
  Value dict;
  std::string name;                   ///< absolute name of the subnetwork layer, "" for the root
  std::string scope;                  ///< parameter scope, "" or "sub"
  std::optional<RandomState> random;  ///< gives seeds to initialisers and dropouts
  bool trainable = true;
  Dim batch;                       ///< undefined: that of the data; in the loop of a search: [B*beam]
  bool joined_input = true;        ///< "data" is the concatenated input; else "data:0", "data:1", ...
  std::vector<BuiltLayer> inputs;  ///< of a subnetwork
  std::map<std::string, std::unique_ptr<BuiltLayer>> built;
  std::set<std::string> failed;
  std::map<std::string, std::unique_ptr<NetworkLevel>> subnetworks;
  std::map<std::string, std::unique_ptr<BuiltLayer>> sub_outputs;     ///< "layer/key" as a source
  std::map<const BuiltLayer*, std::unique_ptr<BuiltLayer>> imported;  ///< layers of enclosing levels
  /// In the loop of a search: layers with the hypotheses of a later stage.
  std::map<std::pair<const BuiltLayer*, int>, std::unique_ptr<BuiltLayer>> moved;

  std::string absolute(const std::string& layer) const { return name.empty() ? layer : name + "/" + layer; }
};

/// How the parameters of one layer are found: see param.cpp.
struct ParamReuse {
  struct Entry {
    const BuiltLayer* layer = nullptr;  ///< shares this layer's variable of the same local name
    Expr value;                         ///< a layer output that stands in for the variable
    Value shape;                        ///< what the parameter must have, if given
    Value custom;                       ///< function of the config that makes it of the layer's variables
    bool own = false;
    bool auto_create_missing = false;
  };
  const BuiltLayer* layer = nullptr;
  bool auto_create_missing = false;
  bool active = false;
  std::map<std::string, Entry> map;
};

/// What is known of a layer between its dict and its nodes.
struct LayerPlan {
  NetworkLevel* level = nullptr;
  std::string name;
  std::string class_name;
  Value options;
  LayerContext context;
  std::vector<const BuiltLayer*> sources;
  std::map<std::string, const BuiltLayer*> refs;
  std::vector<TargetRef> targets;
  std::unique_ptr<Loss> loss;
  std::string loss_name;
  ParamReuse reuse;
  std::string scope;
  std::optional<uint32_t> scope_seed;          ///< of the initialiser that all variables of a rec unit share
  std::map<std::string, uint32_t> init_seeds;  ///< of a rec unit's own initialisers, by the place of the option
  bool trainable = true;
  int stage = 0;  ///< in the loop of a search: that of all it reads (BuiltLayer::stage)
};

/// Builds a Network from a config: which layers, in which order, names, parameters, losses, constraints.
class NetworkConstruction {
 public:
  NetworkConstruction(const Config& config, const ExternData& extern_data, const NetworkOptions& options);
  ~NetworkConstruction();
  std::unique_ptr<Network> run();

  // The following are used by the layers' builder (layer_scope.cpp).
  Graph& graph() { return *real_->graph_; }  ///< of the root
  void add_stat(Stat stat) { network_->stats_.push_back(std::move(stat)); }
  void add_sink(Sink sink) { network_->sinks_.push_back(std::move(sink)); }
  const NetworkOptions& options() const { return options_; }
  Dim batch_dim(const NetworkLevel& level) const { return level.batch.defined() ? level.batch : batch_; }
  Dim batch_dim(const LayerPlan& plan) const;  ///< in the loop of a search: of the layer's stage
  /// Of the rows of `batch` (undefined: the level's), or of the hypotheses that the axis belongs to.
  Expr lengths(const NetworkLevel& level, const Dim& dim, const Dim& batch = {});
  Expr mask(const NetworkLevel& level, const Dim& time, bool time_major, const Dim& batch = {});
  LayerOutput target_output(const NetworkLevel& level, const TargetRef& target);
  Expr param(LayerPlan& plan, BuiltLayer& layer, const std::string& local, const Shape& shape, const Value& init,
             const std::string& fallback, bool trainable);
  void assign(const BuiltLayer& layer, const std::string& local, Expr value);
  void initialize_with(const BuiltLayer& layer, const std::string& local, Expr value);
  Expr kept(const LayerPlan& plan, const std::string& key, const Data& data);
  void keep(const LayerPlan& plan, const std::string& key, Expr next);
  /// The concatenated input of a layer after dropout.
  LayerOutput joined_input(const LayerPlan& plan);
  /// A layer's output under `key` in the step before, and its value before the first step: see rec_state.cpp.
  LayerOutput previous(const LayerPlan& plan, const std::string& key, const Data& data);
  void set_initial(const LayerPlan& plan, const std::string& key, Expr value);
  /// In a loop: which sequences have ended before this step, bool [B]; undefined if nothing in the loop asks.
  Expr ended(const LayerPlan& plan);
  Hypotheses hypotheses(const LayerPlan& plan);
  LayerOutput target_of(const LayerPlan& plan, const TargetRef& target);  ///< of the layer's hypotheses

 private:
  friend struct RecSubnet;
  // construction.cpp: which layers, in which order.
  void build_level(NetworkLevel& level);
  void layer_or_failed(NetworkLevel& level, const std::string& name);
  void complete_subnetworks(NetworkLevel& level);
  void build_registered(NetworkLevel& level);
  bool wanted(const NetworkLevel& level, const std::string& name, const Value& dict) const;
  bool skipped(const Value& dict) const;
  const BuiltLayer& layer(NetworkLevel& level, const std::string& name, const Value& asker);
  const BuiltLayer& construct(NetworkLevel& level, const std::string& name, const Value& dict);
  void collect_unreached(const NetworkLevel& level);
  void finish();

  // construct_layer.cpp: one layer.
  void construct_layer(NetworkLevel& level, const std::string& name, const Value& dict, BuiltLayer& built);
  /// Classes that are networks of their own (network_built_layer.h). False: the class is none of them.
  bool construct_own_network(const LayerClass& entry, NetworkLevel& level, const std::string& name, const Value& dict,
                             BuiltLayer& built);
  void finish_layer(LayerPlan& plan, BuiltLayer& built);
  LayerPlan plan_of(NetworkLevel& level, const std::string& name, const Value& dict) const;
  void check_general_options(const LayerPlan& plan) const;
  void resolve_inputs(LayerPlan& plan);
  void guess_source(LayerPlan& plan, size_t index);
  void resolve_size(LayerPlan& plan);
  void apply_batch_norm(LayerPlan& plan, BuiltLayer& built, LayerBuilder& builder);
  void register_output(const std::string& key, BuiltLayer& built);
  void add_to_network(const LayerPlan& plan, BuiltLayer& built);
  bool flag(const Value& options, const char* key, bool fallback) const;

  // output_options.cpp
  void resolve_in_dim(LayerPlan& plan);
  void resolve_refs(LayerPlan& plan, const Layer& layer);
  void apply_output_options(const LayerPlan& plan, Data& out);
  void apply_size_target(const LayerPlan& plan, BuiltLayer& built);
  void copy_output_loss(const LayerPlan& plan, BuiltLayer& built) const;
  void check_output(const LayerPlan& plan, BuiltLayer& built);
  void print_output(const LayerPlan& plan, BuiltLayer& built) const;

  // name_resolution.cpp
  const BuiltLayer& resolve(NetworkLevel& level, const std::string& name, const Value& asker);
  const BuiltLayer& data_source(NetworkLevel& level, const std::string& key, const Value& asker);
  const BuiltLayer& extern_source(const std::string& key, const Value& asker);
  const BuiltLayer& sub_path(NetworkLevel& level, const std::string& path, const Value& asker);
  Error layer_not_found(const NetworkLevel& level, const std::string& name, const Value& asker) const;

  const BuiltLayer& captured_layer(NetworkLevel& level, const BuiltLayer& layer);

  // targets.cpp
  void resolve_targets(LayerPlan& plan);
  TargetRef target_ref(NetworkLevel& level, const std::string& name, const Value& place, const std::string& self);
  Data one_frame(const NetworkLevel& level, Data data) const;
  bool registers_key(const std::string& key) const;

  // param.cpp
  void resolve_scope(LayerPlan& plan);
  void resolve_reuse(LayerPlan& plan);
  ParamReuse::Entry reuse_entry(LayerPlan& plan, const Value& value);
  Expr custom_param(const ParamReuse::Entry& entry, const std::string& local, const Shape& shape);
  Expr shared_param(const BuiltLayer& owner, const std::string& local, const Shape& shape, const Value& place);
  static bool updater_knows(const LayerPlan& plan, const std::string& name);
  Expr variable(const LayerPlan& plan, const std::string& name, const Shape& shape, const Value& init,
                const std::string& fallback, uint32_t seed, bool trainable);
  void start_random(NetworkLevel& level);
  uint32_t draw_seed(NetworkLevel& level);
  void draw_unit_seeds(LayerPlan& plan);
  uint32_t initial_seed(LayerPlan& plan, const Value& init, const std::string& fallback);
  const Expr* param_leaf(const std::string& name) const;
  Expr with_noise(const LayerPlan& plan, const std::string& local, Expr value);
  double noise_option(const Value& options, const char* key) const;

  // losses.cpp
  void make_loss(LayerPlan& plan);
  void add_loss(LayerPlan& plan, BuiltLayer& built);
  /// constant: set if the norm is a number of the config.
  Expr inverse_norm(const LayerPlan& plan, const LossContext& context, bool& constant);
  void add_custom_norm(LayerPlan& plan, NetworkLoss& loss);
  /// The sum over all ranks of a value of fixed size; just the value if there is one rank.
  Expr global_sum(Expr local, const std::string& name);

  // loss_context.cpp: what a loss reads.
  LossContext loss_context(LayerPlan& plan, const BuiltLayer& built);
  void add_target(const LayerPlan& plan, LossContext& context);

  // constraints.cpp
  void add_constraints(const LayerPlan& plan, const BuiltLayer& built);
  Expr darc1(const NetworkLevel& level, const BuiltLayer& built);
  Expr spatial_smoothing(const NetworkLevel& level, const BuiltLayer& built);
  Expr valid_frames_only(const NetworkLevel& level, const LayerOutput& output, Expr values);

  // subnetwork.cpp
  NetworkLevel& subnetwork(NetworkLevel& level, const std::string& name, const Value& dict);
  void construct_subnetwork(LayerPlan& plan, BuiltLayer& built);

  // cond.cpp
  void construct_cond(LayerPlan& plan, BuiltLayer& built);
  BuiltLayer construct_branch(NetworkLevel& level, const std::string& name, const Value& option,
                              const std::string& key);

  // rec_accumulated.cpp
  void construct_rec_accumulated(LayerPlan& plan, BuiltLayer& built);
  void construct_rec_last_output(LayerPlan& plan, BuiltLayer& built);

  // masked_computation.cpp
  void construct_masked(NetworkLevel& level, const std::string& name, const Value& dict, BuiltLayer& built);
  void keep_where_masked(NetworkLevel& level, const std::string& name, const std::string& mask, BuiltLayer& built);
  const BuiltLayer& masked_sub_layer(NetworkLevel& level, const std::string& path, const Value& asker);
  void mask_frames(NetworkLevel& level, const std::string& name, const Value& mask_name, const LayerOutput& mask);
  const BuiltLayer& masked_source(LayerPlan& plan, const BuiltLayer& source);

  // rec_*.cpp: rec layers with a unit of layers.
  void construct_rec_subnet(LayerPlan& plan, BuiltLayer& built);
  Dim rec_time(LayerPlan& plan, const LayerOutput* input);
  void find_templates(RecSubnet& rec);
  std::string template_pass(RecSubnet& rec);
  Dim declared_rec_time(LayerPlan& plan);
  std::vector<std::string> needed_layers(const RecSubnet& rec) const;
  void print_partition(const RecSubnet& rec) const;
  void emit_rec(RecSubnet& rec, BuiltLayer& built);
  void emit_loop(RecSubnet& rec);
  void finish_states(RecSubnet& rec);
  // rec_end.cpp: loops whose length only their layer "end" knows.
  void prepare_end(RecSubnet& rec);
  Expr max_seq_len(RecSubnet& rec);
  Dim target_time_of_choices(NetworkLevel& around, const Value& unit);
  Expr ended_before(RecSubnet& rec);
  void join_end(RecSubnet& rec, BuiltLayer& end);
  void count_lengths(RecSubnet& rec);
  void find_lengths(RecSubnet& rec);
  // rec_search.cpp: hypotheses.
  void prepare_search(RecSubnet& rec);
  bool order_choices(RecSubnet& rec);
  void align_hypotheses(LayerPlan& plan);
  void join_hypotheses(LayerPlan& plan, BuiltLayer& built);
  void finish_in_loop(const LayerPlan& plan, BuiltLayer& built);
  const BuiltLayer& moved_hypotheses(NetworkLevel& level, const BuiltLayer& layer, int stage);
  void finish_search(RecSubnet& rec);
  std::optional<Data> labels_of_choice(NetworkLevel& level, const Value& dict);
  bool searches(const Value& choice) const;
  bool adds_scores(const Value& choice) const;
  bool reads_scores(const Value& choice) const { return searches(choice) || adds_scores(choice); }
  LayerOutput in_batch_of(const NetworkLevel& level, const LayerOutput& x) const;
  static LayerOutput in_batch(const Dim& batch, const LayerOutput& x);
  void add_deferred(RecSubnet& rec);
  const BuiltLayer& resolve_in_unit(NetworkLevel& level, const std::string& name, const Value& asker);
  const BuiltLayer& unstacked(NetworkLevel& level, const std::string& name, const Value& asker);
  const BuiltLayer& unit_data(NetworkLevel& level, const std::string& key, const Value& asker);
  LayerOutput frames_of(const NetworkLevel& level, const std::string& key, const Value& asker);
  const BuiltLayer& unit_layer(NetworkLevel& level, const std::string& name, const Value& asker);
  const BuiltLayer& previous_layer(NetworkLevel& level, const std::string& name, const Value& asker);
  static LayerOutput with_own_time_first(const RecSubnet& rec, LayerOutput x);
  const BuiltLayer& shifted_layer(NetworkLevel& level, const std::string& name, const Value& asker);
  LayerOutput state_output(RecSubnet& rec, const std::string& layer, const std::string& key, const Data& data);
  Expr initial_value(RecSubnet& rec, const std::string& absolute, const std::string& name, const std::string& key,
                     const Data& data);
  Expr initial_output(RecSubnet& rec, const std::string& name, const Data& data);
  Expr initial_variable(RecSubnet& rec, const std::string& name, const Data& data);
  Expr applied_to_zeros(RecSubnet& rec, const std::string& name, const Data& data);

  const Config& config_;
  NetworkOptions options_;
  std::unique_ptr<Network> real_;
  Network* network_;           ///< what the layer under construction adds to: `real_`, or one that is thrown away
  ErrorCollector* collector_;  ///< likewise, for its errors
  NetworkLevel root_;
  Dim batch_;
  ErrorCollector errors_;
  std::vector<std::string> stack_;  ///< absolute names of the layers under construction
  std::map<std::string, std::unique_ptr<BuiltLayer>> extern_sources_;
  std::vector<std::unique_ptr<BuiltLayer>> adapted_sources_;  ///< sources as in_dim makes a layer see them
  std::map<std::string, const BuiltLayer*> registered_;       ///< register_as_extern_data
  std::map<std::string, const BuiltLayer*> built_;            ///< by absolute name
  SequenceLengths sequence_lengths_;                          ///< in the root's graph
  std::map<std::string, LayerOutput> dropped_inputs_;
  std::vector<std::unique_ptr<RecSubnet>> units_;
  /// By absolute name of a masked_computation outside of loops: the axis of its mask, and the frames where that is
  /// true.
  std::map<std::string, std::pair<Dim, FramesOfMask>> masked_frames_;
  std::vector<Expr> constraints_;
  std::vector<Expr> data_constraints_;  ///< those of them that depend on the batch
};

/// The error of a layer whose only fault is that layer `name` could not be built; never shown.
Error dependent(const std::string& name);
bool is_dependent(const Error& error);
/// An option that is there and not None, else nullptr.
const Value* given(const Value& options, const char* key);
/// A Python truth value; nullptr is false.
bool truthy(const Value* value);
/// The layers of a network dict (no "#" options), sorted, as RETURNN visits them.
std::vector<std::string> sorted_names(const Value& dict);

/// Stable hash of a name, for random keys.
uint32_t name_hash(const std::string& text);

/// The error's place becomes that of `value` unless it has one.
void place_at(Error& error, const Value& value);

}  // namespace wende

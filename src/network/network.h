#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "dims/data.h"
#include "graph/graph.h"
#include "graph/param_table.h"
#include "layers/layer_builder.h"
#include "layers/loss.h"

namespace wende {

/// Keys of the data that the dataset feeds: RETURNN's extern_data in all its forms (semantics section 2).
struct ExternData {
  std::map<std::string, Data> keys;
  std::string default_input = "data";
  std::string default_target = "classes";

  /// From extern_data / num_inputs / num_outputs / target of the config; throws at the wrong entry.
  static ExternData from_config(const Config& config);
};

struct NetworkOptions {
  bool train = false;  ///< train flag: dropout, batch statistics
  bool eval = true;    ///< losses are built (RETURNN's eval_flag)
  bool search = false;
  int behavior_version = 0;
  bool across_ranks = false;       ///< sums that an objective divides by are those of all ranks' batches
  std::set<std::string> fed_keys;  ///< keys that layers register but whose data are fed: these win (replay)
};

/// A new value of a parameter, computed by the step itself.
struct ParamAssignment {
  std::string param;
  Expr value;                ///< as many elements as the parameter has
  bool with_update = false;  ///< part of the optimiser's update
};

/// A value that goes on from batch to batch within an epoch: the input leaf holds what `next` was in the last one.
struct KeptState {
  std::string leaf;
  Expr next;
};

/// One loss of the built network.
struct NetworkLoss {
  std::string name;            ///< "output", "sub/aux"
  Expr value;                  ///< scalar: sum over frames
  Expr error;                  ///< scalar, undefined if none
  Expr inv_norm;               ///< scalar: 1 / norm_factor = number of target frames (or sequences)
  bool constant_norm = false;  ///< a number of the config: counts once per step, not on each rank
  double scale = 1.0;
  bool use_normalized = false;
  bool silenced = false;  ///< only_on_eval in training: 0, and left out of the log and the learning-rate file
  Expr objective;         ///< what is added to the total; undefined for scale 0 or a loss without value
};

/// A layer as it stands in the built network.
struct NetworkLayer {
  std::string name;  ///< absolute: "sub/x"
  std::string class_name;
  LayerOutput output;
  std::vector<std::string> params;  ///< names of the variables it owns
  Value options;
  Expr beam_scores;  ///< [B*beam], where the rows are hypotheses of a search; else undefined
  bool is_root() const { return name.find('/') == std::string::npos; }
};

/// A network dict, built for one mode: graph, losses, parameters, sinks. Immutable once built.
/// Parameter values live elsewhere, by name; "graph reset" = destroy and build again.
class Network {
 public:
  /// Throws Error kConfig with all mistakes that could be found, each at its line.
  static std::unique_ptr<Network> build(const Config& config, const ExternData& extern_data,
                                        const NetworkOptions& options);

  Graph& graph() const { return *graph_; }
  const std::vector<NetworkLayer>& layers() const { return layers_; }  ///< in construction order, all levels
  const NetworkLayer* find_layer(const std::string& absolute_name) const;
  const std::vector<ParamSpec>& params() const { return params_; }  ///< in order of first use
  const std::vector<NetworkLoss>& losses() const { return losses_; }
  const std::vector<Sink>& sinks() const { return sinks_; }
  const std::vector<Stat>& stats() const { return stats_; }
  Expr loss() const { return loss_; }                ///< sum of objectives; undefined if none
  Expr constraints() const { return constraints_; }  ///< L2 etc.; undefined if none
  Expr objective() const { return objective_; }      ///< loss + constraints; undefined if none
  Expr param_expr(const std::string& name) const;    ///< the parameter leaf
  /// What a step leaves in untrainable parameters: running statistics.
  const std::vector<ParamAssignment>& assignments() const { return assignments_; }
  const std::vector<KeptState>& kept_states() const { return kept_; }
  /// The part of constraints() that depends on the batch, hence differs by rank; undefined if none.
  Expr data_constraints() const { return data_constraints_; }
  /// Sums over all ranks that the step needs before it runs: `local` is what this rank adds, the result is bound to the
  /// input leaf. Only with NetworkOptions::across_ranks.
  struct GlobalSum {
    std::string leaf;
    Expr local;
  };
  const std::vector<GlobalSum>& global_sums() const { return global_sums_; }
  /// Per parameter: updater_opts of its layer (None if not given).
  Value updater_opts(const std::string& param) const;
  /// Sum of the L2 factors that the constraints hold for this parameter (for decoupled constraints).
  double l2(const std::string& param) const;

  /// Input leaves are named "data:<key>" with the dims of extern_data[key]; lengths come through Binding.
  const ExternData& extern_data() const { return extern_data_; }
  std::vector<std::string> used_data_keys() const;
  /// Layers that were defined but that nothing needs: a warning for `check` (bad-configs row 41).
  const std::vector<std::string>& unreached_layers() const { return unreached_; }
  const NetworkLayer* default_output_layer() const;  ///< "output", else the single output layer, else nullptr
  bool has_recurrent_layer() const { return has_recurrent_; }
  const NetworkOptions& options() const { return options_; }

 private:
  friend class NetworkConstruction;
  std::unique_ptr<Graph> graph_;
  ExternData extern_data_;
  NetworkOptions options_;
  std::vector<NetworkLayer> layers_;
  std::vector<ParamSpec> params_;
  std::map<std::string, Expr> param_exprs_;
  std::map<std::string, Value> updater_opts_;
  std::map<std::string, double> l2_;
  std::set<std::string> unlisted_params_;  ///< so far only in loops that do not list them: not trained
  std::vector<NetworkLoss> losses_;
  std::vector<Sink> sinks_;
  std::vector<ParamAssignment> assignments_;
  std::vector<Stat> stats_;
  std::vector<KeptState> kept_;
  Expr loss_, constraints_, data_constraints_, objective_;
  std::vector<GlobalSum> global_sums_;
  std::vector<std::string> used_keys_;
  std::vector<std::string> unreached_;
  bool has_recurrent_ = false;
};

}  // namespace wende

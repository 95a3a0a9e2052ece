#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "collective/communicator.h"
#include "dataset/batch.h"
#include "device/staged_copies.h"
#include "graph/executor.h"
#include "network/network.h"
#include "ops/gather.h"
#include "ops/meta_loss.h"
#include "optim/param_store.h"
#include "optim/touched_rows.h"

namespace wende {

/// Sums of one loss over the frames of a batch (or, after reduction, of a step or an epoch over all ranks).
struct LossReport {
  double value = 0;
  double error = 0;
  double inv_norm = 0;  ///< frames; the reported score is value / inv_norm
};

/// What one batch gave.
struct StepReport {
  std::vector<LossReport> losses;  ///< in the order of Network::losses()
  double loss = 0;                 ///< sum of objectives
  double constraints = 0;
  double data_constraints = 0;   ///< the part of constraints that depends on the batch
  std::vector<LossReport> meta;  ///< in the order of NetworkWithGradients::meta; value: mean, inv_norm: 1 / elements
  std::vector<double> stats;     ///< sums and weights of Network::stats(), one after the other
  std::map<std::string, RowSums> rows;  ///< by parameter: row_gradients.h
  double objective() const { return loss + constraints; }
};

/// A network with gradients, before it has memory: says which parameters there are and in which order backward ends.
struct NetworkWithGradients {
  std::unique_ptr<Network> network;
  std::map<std::string, Expr> gradients;    ///< by parameter; only those that get one
  std::vector<std::string> backward_order;  ///< trainable parameters, first finished first; the same on all ranks
  std::set<std::string> updated;            ///< parameters that get a gradient on some rank
  std::vector<ops::MetaLoss> meta;          ///< losses that backward met; they have an update of their own
  std::map<std::string, Expr> meta_gradients;
  std::map<std::string, std::vector<ops::TableRows>> rows;  ///< of the gradients that are rows; the same on all ranks

  /// with_constraints: exactly one rank of a run differentiates L2 and the like, since they do not depend on the batch.
  static NetworkWithGradients differentiate(std::unique_ptr<Network> network, bool with_constraints = true);
};

/// L2 factors that the updater applies itself, for `decouple_constraints`; else empty.
std::map<std::string, double> decoupled_l2(const Config& config, const Network& network, const ParamStore& store);

/// RowSums as the graph has them. marks: [V]; undefined: not wanted.
struct RowSumExprs {
  Expr squares;
  Expr marks;
};

/// Runs batches through one network: binds inputs and sizes, hands out losses, gradients and further values.
class NetworkRunner {
 public:
  /// The parameters' values and gradients live in `store`. extra: further expressions to fetch in each run;
  /// rows: for the report.
  NetworkRunner(const Network& network, const std::map<std::string, Expr>& gradients, ParamStore& store,
                const std::vector<Expr>& extra = {}, const std::map<std::string, RowSumExprs>& rows = {});

  /// on_gradient: called when the gradient of a parameter stands in the store, while backward goes on.
  StepReport run(const Batch& batch, const RunOptions& options = {},
                 const std::function<void(const std::string& param)>& on_gradient = {});

  /// Starts copying the batch that one of the next runs is for to the GPU, beside the GPU's work.
  void stage(const Batch& batch);
  bool stages_batches() const { return !store_.flat_values().device().is_cpu(); }

  /// An epoch begins: states that go on from batch to batch start with zeros.
  void forget_states() { kept_.clear(); }
  /// These states after the last run, by the names of RETURNN's variables.
  std::map<std::string, Tensor> kept_states() const;
  /// The last run's batch again, with its sums over the ranks: no other rank has to take part.
  void run_again(const RunOptions& options) { executor_->run(binding_, options); }

  /// Puts what the last run assigned to parameters into the store; sum_over_ranks (if given) adds up a block of floats
  /// over all ranks, of which this one took part or not (`ran`). Every rank calls it after each step.
  void assign_parameters(bool ran, const std::function<void(float*, size_t)>& sum_over_ranks = {});
  /// Leaves out assignments that the objective does not read itself.
  void assign_only_what_the_objective_reads();
  /// Sums that the network wants over all ranks (Network::global_sums) go through `communicator` from now on; then all
  /// ranks must call run() or skip() in each step.
  void share_sums(Communicator& communicator);
  void skip(const RunOptions& options = {}) { exchange_sums(false, options); }  ///< this rank has no batch in this step

  const Network& network() const { return network_; }
  /// A report of zeros: what a rank without a batch adds to a step.
  StepReport empty_report() const;
  const std::vector<Tensor>& extra_values() const { return extra_values_; }  ///< of the last run
  const Binding& binding() const { return executor_->binding(); }            ///< of the last run
  Executor& executor() { return *executor_; }

 private:
  int fetch(Expr expr, Tensor into = {});
  double scalar(int fetch) const;
  void fetch_stats();
  void read_extras(StepReport& report) const;
  void bind_batch(const Batch& batch);
  Tensor staged(const Tensor& tensor);
  void bind_kept();
  void take_kept();
  void exchange_sums(bool has_batch, const RunOptions& options);

  struct LossFetches {
    int value = -1;
    int error = -1;
    int inv_norm = -1;
  };
  const Network& network_;
  Communicator* communicator_ = nullptr;
  std::unique_ptr<Executor> local_sums_;
  std::vector<Fetch> fetches_;
  std::vector<LossFetches> loss_fetches_;
  std::vector<std::pair<int, int>> meta_fetches_;  ///< value, elements
  std::vector<int> stat_fetches_;
  size_t stat_numbers_ = 0;
  int loss_fetch_ = -1;
  int constraints_fetch_ = -1;
  int data_constraints_fetch_ = -1;
  std::map<int, std::string> gradient_fetches_;
  struct RowFetches {
    int squares = -1;
    int marks = -1;
    size_t labels = 0;
  };
  std::map<std::string, RowFetches> row_fetches_;
  std::vector<int> extra_fetches_;
  ParamStore& store_;
  std::vector<ParamAssignment> assignments_;
  std::vector<int> assignment_fetches_;
  std::unique_ptr<Executor> executor_;
  Binding binding_;
  std::unique_ptr<StagedCopies> copies_;
  int staged_slot_ = -1;  ///< with a batch that no run had yet
  int used_slot_ = -1;    ///< of the run under way
  /// The staged batch: its tensors (which keeps the addresses theirs) and where they go on the GPU, by address.
  std::map<const std::byte*, std::pair<Tensor, std::byte*>> staged_;
  std::vector<int> kept_fetches_;
  std::map<std::string, Tensor> kept_;  ///< by leaf, of the last run
  std::vector<Tensor> values_;
  std::vector<Tensor> extra_values_;
};

}  // namespace wende

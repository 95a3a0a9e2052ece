#include "engine/network_runner.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "engine/out_of_memory.h"
#include "graph/accumulate.h"
#include "graph/gradients.h"
#include "ops/linear_cross_entropy.h"
#include "ops/linear_relu.h"
#include "ops/pointwise.h"
#include "ops/rnn_layer.h"

namespace wende {

namespace {

std::map<std::string, Expr> gradients_of(const std::vector<ops::MetaLoss>& losses,
                                         const std::vector<std::string>& names, const std::vector<Expr>& leaves) {
  std::map<std::string, Expr> result;
  std::vector<Expr> parts;
  for (const ops::MetaLoss& meta : losses) {
    parts.push_back(ops::scale(meta.value, meta.scale));
  }
  if (parts.empty()) {
    return result;
  }
  const std::vector<Expr> gradients = wende::gradients(accumulate(parts), leaves);
  for (size_t i = 0; i < names.size(); ++i) {
    if (gradients[i].defined()) {
      result[names[i]] = gradients[i];
    }
  }
  return result;
}

}  // namespace

NetworkWithGradients NetworkWithGradients::differentiate(std::unique_ptr<Network> network, bool with_constraints) {
  NetworkWithGradients result;
  std::vector<std::string> names;
  std::vector<Expr> leaves;
  for (const ParamSpec& spec : network->params()) {
    if (spec.trainable) {
      names.push_back(spec.name);
      leaves.push_back(network->param_expr(spec.name));
    }
  }
  // Order and updated set follow from the whole objective on every rank: the flat gradient buffers must agree.
  std::vector<Expr> whole(names.size());
  if (network->objective().defined()) {
    whole = wende::gradients(network->objective(), leaves);
  }
  std::vector<Expr> grads = whole;
  if (!with_constraints && network->constraints().defined()) {
    std::vector<Expr> parts;
    for (const Expr& part : {network->loss(), network->data_constraints()}) {
      if (part.defined()) {
        parts.push_back(part);
      }
    }
    grads.assign(names.size(), Expr());
    if (!parts.empty()) {
      grads = wende::gradients(accumulate(parts), leaves);
    }
  }
  result.meta = ops::meta_losses(network->graph());
  result.meta_gradients = gradients_of(result.meta, names, leaves);
  std::vector<std::pair<NodeId, std::string>> order;
  for (size_t i = 0; i < names.size(); ++i) {
    if (grads[i].defined()) {
      result.gradients[names[i]] = grads[i];
    }
    if (whole[i].defined()) {
      result.updated.insert(names[i]);
      // A constraint makes a gradient dense, on the ranks that do not differentiate it too.
      const bool as_rows = !ops::rows_of_gradient(whole[i]).empty();
      if (as_rows && grads[i].defined()) {
        result.rows[names[i]] = ops::rows_of_gradient(grads[i]);
      }
    }
    order.emplace_back(whole[i].node, names[i]);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [node, name] : order) {
    result.backward_order.push_back(name);
  }
  result.network = std::move(network);
  return result;
}

std::map<std::string, double> decoupled_l2(const Config& config, const Network& network, const ParamStore& store) {
  std::map<std::string, double> factors;
  if (config.get_bool("decouple_constraints", false)) {
    for (const std::string& name : store.trainable_names()) {
      factors[name] = network.l2(name);
    }
  }
  return factors;
}

NetworkRunner::NetworkRunner(const Network& network, const std::map<std::string, Expr>& gradients, ParamStore& store,
                             const std::vector<Expr>& extra, const std::map<std::string, RowSumExprs>& rows)
    : network_(network), store_(store) {
  for (const NetworkLoss& loss : network.losses()) {
    loss_fetches_.push_back({fetch(loss.value), fetch(loss.error), fetch(loss.inv_norm)});
  }
  for (const ops::MetaLoss& meta : ops::meta_losses(network.graph())) {
    meta_fetches_.emplace_back(fetch(meta.value), fetch(meta.elements));
  }
  fetch_stats();
  loss_fetch_ = fetch(network.loss());
  constraints_fetch_ = fetch(network.constraints());
  data_constraints_fetch_ = fetch(network.data_constraints());
  for (const auto& [param, gradient] : gradients) {
    gradient_fetches_[fetch(gradient, store.gradient(param))] = param;
  }
  for (const auto& [param, sums] : rows) {
    const auto labels = sums.marks.defined() ? static_cast<size_t>(sums.marks.dim(0).size()) : 0;
    row_fetches_[param] = {fetch(sums.squares), fetch(sums.marks), labels};
  }
  for (const Expr& expr : extra) {
    extra_fetches_.push_back(fetch(expr));
  }
  for (const KeptState& state : network.kept_states()) {
    kept_fetches_.push_back(fetch(state.next));
  }
  assignments_ = network.assignments();
  for (const ParamAssignment& assignment : assignments_) {
    assignment_fetches_.push_back(fetch(assignment.value));
  }
  const Device device = store.flat_values().device();
  ops::offer_linear_cross_entropy(network.graph());
  if (!device.is_cpu()) {
    ops::offer_rnn_layers(network.graph());
    ops::offer_linear_relu(network.graph());
  }
  executor_ = std::make_unique<Executor>(network.graph(), fetches_, device);
  for (const ParamSpec& spec : network.params()) {
    executor_->bind(spec.name, store.value(spec.name));
  }
}

void NetworkRunner::assign_parameters(bool ran, const std::function<void(float*, size_t)>& sum_over_ranks) {
  if (assignments_.empty()) {
    return;
  }
  std::vector<float> block{ran ? 1.0F : 0.0F};  // how many ranks took part, then the values
  for (size_t i = 0; i < assignments_.size(); ++i) {
    const Tensor& target = store_.value(assignments_[i].param);
    if (ran) {
      const std::vector<float> value = values_[static_cast<size_t>(assignment_fetches_[i])].to_vector<float>();
      block.insert(block.end(), value.begin(), value.end());
    } else {
      block.insert(block.end(), static_cast<size_t>(target.elements()), 0.0F);
    }
  }
  if (sum_over_ranks) {
    sum_over_ranks(block.data(), block.size());
  }
  const float* values = block.data() + 1;
  for (const ParamAssignment& assignment : assignments_) {
    const Tensor& target = store_.value(assignment.param);
    if (block[0] > 0) {
      const Tensor mean = Tensor::empty(DType::kFloat32, target.shape());
      for (int64_t i = 0; i < target.elements(); ++i) {
        mean.data<float>()[i] = values[i] / block[0];
      }
      target.copy_from(mean);
    }
    values += target.elements();
  }
}

void NetworkRunner::assign_only_what_the_objective_reads() {
  std::vector<bool> read(static_cast<size_t>(network_.graph().size()), false);
  if (network_.objective().defined()) {
    read[static_cast<size_t>(network_.objective().node)] = true;
  }
  for (NodeId node = network_.graph().size() - 1; node >= 0; --node) {
    for (const Expr& input : network_.graph().node(node).inputs) {
      read[static_cast<size_t>(input.node)] = read[static_cast<size_t>(input.node)] || read[static_cast<size_t>(node)];
    }
  }
  for (size_t i = assignments_.size(); i-- > 0;) {
    if (!assignments_[i].with_update && !read[static_cast<size_t>(assignments_[i].value.node)]) {
      assignments_.erase(assignments_.begin() + static_cast<std::ptrdiff_t>(i));
      assignment_fetches_.erase(assignment_fetches_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

int NetworkRunner::fetch(Expr expr, Tensor into) {
  if (!expr.defined()) {
    return -1;
  }
  fetches_.push_back({expr, std::move(into)});
  return static_cast<int>(fetches_.size()) - 1;
}

void NetworkRunner::share_sums(Communicator& communicator) {
  if (network_.global_sums().empty()) {
    return;
  }
  communicator_ = &communicator;
  std::vector<Fetch> fetches;
  for (const Network::GlobalSum& sum : network_.global_sums()) {
    fetches.push_back({sum.local, {}});
  }
  local_sums_ = std::make_unique<Executor>(network_.graph(), fetches, store_.flat_values().device());
  for (const ParamSpec& spec : network_.params()) {
    local_sums_->bind(spec.name, store_.value(spec.name));
  }
}

/// All ranks take part in each step; one without a batch adds zeros.
void NetworkRunner::exchange_sums(bool has_batch, const RunOptions& options) {
  if (!communicator_) {
    return;
  }
  std::vector<Tensor> sums;
  if (has_batch) {
    RunOptions plain = options;
    plain.on_fetch = {};
    plain.launched = {};
    for (const Tensor& value : local_sums_->run(binding_, plain)) {
      sums.push_back(value.clone());
    }
  } else {
    for (const Network::GlobalSum& sum : network_.global_sums()) {
      sums.push_back(Tensor::zeros(sum.local.dtype(), Binding().shape(sum.local.dims())));
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    communicator_->all_sum(sums[i].data<float>(), static_cast<size_t>(sums[i].elements()));
    executor_->bind(network_.global_sums()[i].leaf, sums[i]);
  }
}

double NetworkRunner::scalar(int fetch) const {
  return fetch < 0 ? 0.0 : static_cast<double>(values_[static_cast<size_t>(fetch)].data<float>()[0]);
}

void NetworkRunner::fetch_stats() {
  for (const Stat& stat : network_.stats()) {
    for (const Expr& part : {stat.sum, stat.weight}) {
      if (part.defined()) {
        stat_fetches_.push_back(fetch(part));
        stat_numbers_ += part.rank() == 0 ? 1 : static_cast<size_t>(part.dim(0).size());
      }
    }
  }
}

StepReport NetworkRunner::empty_report() const {
  StepReport report;
  report.losses.resize(loss_fetches_.size());
  report.meta.resize(meta_fetches_.size());
  report.stats.resize(stat_numbers_);
  for (const auto& [param, fetches] : row_fetches_) {
    report.rows[param].marks.resize(fetches.labels);
  }
  return report;
}

void NetworkRunner::read_extras(StepReport& report) const {
  for (const auto& [value, elements] : meta_fetches_) {
    report.meta.push_back({scalar(value), 0.0, 1.0 / scalar(elements)});
  }
  for (const int index : stat_fetches_) {
    for (const float number : values_[static_cast<size_t>(index)].to_vector<float>()) {
      report.stats.push_back(static_cast<double>(number));
    }
  }
  for (const auto& [param, fetches] : row_fetches_) {
    RowSums& sums = report.rows[param];
    sums.squares = scalar(fetches.squares);
    if (fetches.labels > 0) {
      const std::vector<float> marks = values_[static_cast<size_t>(fetches.marks)].to_vector<float>();
      sums.marks.assign(marks.begin(), marks.end());
    }
  }
}

StepReport NetworkRunner::run(const Batch& batch, const RunOptions& options,
                              const std::function<void(const std::string& param)>& on_gradient) {
  bind_batch(batch);
  bind_kept();
  exchange_sums(true, options);
  RunOptions run_options = options;
  run_options.launched = [&] {
    if (used_slot_ >= 0) {
      copies_->used(used_slot_);
      staged_slot_ = -1;
      staged_.clear();
    }
    if (options.launched) {
      options.launched();
    }
  };
  if (on_gradient) {
    run_options.on_fetch = [&](int fetch) {
      if (const auto it = gradient_fetches_.find(fetch); it != gradient_fetches_.end()) {
        on_gradient(it->second);
      }
    };
  }
  try {
    values_ = executor_->run(binding_, run_options);
  } catch (const Error& error) {
    throw with_memory_use(error, *executor_, batch);
  }
  take_kept();
  StepReport report;
  for (const LossFetches& fetches : loss_fetches_) {
    report.losses.push_back({scalar(fetches.value), scalar(fetches.error), scalar(fetches.inv_norm)});
  }
  read_extras(report);
  report.loss = scalar(loss_fetch_);
  report.constraints = scalar(constraints_fetch_);
  report.data_constraints = scalar(data_constraints_fetch_);
  extra_values_.clear();
  for (const int index : extra_fetches_) {
    extra_values_.push_back(values_[static_cast<size_t>(index)]);
  }
  return report;
}

}  // namespace wende

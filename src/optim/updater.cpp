#include "optim/updater.h"

#include <fmt/core.h>

#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "optim/device_gradients.h"
#include "optim/device_update.h"
#include "optim/gradient_processing.h"
#include "optim/norm_sums.h"
#include "optim/optimizer.h"
#include "optim/optimizer_group.h"
#include "optim/optimizer_options.h"
#include "optim/update_shard.h"
#include "optim/updated_param.h"
#include "tensor/placement.h"

namespace wende {
class Updater::Impl {
 public:
  Impl(const Config& config, ParamStore& params, const std::map<std::string, Value>& layer_opts,
       const std::map<std::string, double>& decoupled_l2, Communicator* sharded_over)
      : params_(params), shard_(params, sharded_over) {
    read_config(config);
    const GradientOptions common = GradientOptions::from_config(config);
    default_options_ = default_optimizer_options(config, defaults_);
    add_group(default_options_);
    ErrorCollector errors;
    for (const std::string& name : params_.trainable_names()) {
      auto found = layer_opts.find(name);
      Value options = found == layer_opts.end() ? Value() : found->second;
      errors.run([&] { add_member(name, options, common); });
      auto l2 = decoupled_l2.find(name);
      if (l2 != decoupled_l2.end() && !members_.empty()) members_.back().decoupled_l2 = l2->second;
    }
    errors.throw_if_any();
    require_shardable();
    if (!params.flat_values().device().is_cpu()) go_on_device();
    for (UpdatedParam& member : members_) allocate_state(member);
  }

  void step(double learning_rate, int64_t step, int epoch, const std::map<std::string, bool>& has_gradient, UpdateBy by,
            const std::map<std::string, RowSums>& rows) {
    for (UpdatedParam& member : members_) {
      auto found = has_gradient.find(member.name);
      member.present = found != has_gradient.end() && found->second;
      auto own_rows = rows.find(member.name);
      member.rows = own_rows == rows.end() ? nullptr : &own_rows->second;
    }
    const double rate = effective_learning_rate(learning_rate, step, epoch);
    if (on_device_ != nullptr) return step_on_device(rate, step, by);
    std::map<std::string, double> norms = global_norms();
    std::vector<int64_t> numbers(groups_.size(), 0);
    for (UpdatedParam& member : members_) {
      if (!member.present) continue;
      process(member, step, norms);
      decay(member);
      if (!member.options.updates_in(step)) continue;
      int64_t& number = numbers[member.group];
      if (number == 0) number = next_number(member.group, step, by);
      update(member, groups_[member.group], number, rate);
    }
  }

  double effective_learning_rate(double learning_rate, int64_t step, int epoch) const {
    if (dynamic_.is_none()) return learning_rate;
    if (dynamic_.is_callable()) {
      Value result = dynamic_.as_callable().call({}, {{"network", Value()},
                                                      {"global_train_step", Value::of(step)},
                                                      {"learning_rate", Value::of(learning_rate)},
                                                      {"epoch", Value::of(int64_t{epoch})}});
      if (!result.is_number()) {
        throw dynamic_.error(fmt::format("dynamic_learning_rate returned {}, not a number", result.repr()));
      }
      return result.as_float();
    }
    return learning_rate * std::pow(decay_, static_cast<double>(step % interval_));
  }

  std::map<std::string, Tensor> processed_gradients() const {
    std::map<std::string, Tensor> result;
    for (const UpdatedParam& member : members_) {
      if (!member.present) continue;
      const Shape& shape = params_.value(member.name).shape();
      result[member.name] = on_device_ != nullptr
                                ? on_host(on_device_->result(member.name))
                                : Tensor::wrap(DType::kFloat32, shape, reinterpret_cast<std::byte*>(member.result()));
    }
    return result;
  }

  /// Where it is kept: with parameters on a GPU, there.
  std::map<std::string, Tensor> state() const {
    std::map<std::string, Tensor> result;
    for (size_t group = 0; group < groups_.size(); ++group) {
      result[updates_name(group)] = Tensor::of<int64_t>({groups_[group].updates}, Shape{1});
    }
    for (const UpdatedParam& member : members_) {
      for (const auto& [slot, tensor] : member.slots) result[member.name + "/" + slot] = tensor;
      if (member.accumulated.defined()) result[member.name + "/accum_grad"] = member.accumulated;
    }
    return result;
  }

  std::map<std::string, Tensor> gathered_state() const {
    std::map<std::string, Tensor> result = state();
    for (const UpdatedParam& member : members_) {
      for (const auto& [slot, tensor] : member.slots) {
        result[member.name + "/" + slot] = shard_.gathered(member.name, tensor);
      }
    }
    return result;
  }

  void load_state(std::map<std::string, Tensor> saved) {
    for (const UpdatedParam& member : members_) {
      for (const auto& [slot, tensor] : member.slots) {
        const auto found = saved.find(member.name + "/" + slot);
        if (found != saved.end()) found->second = shard_.part_of(member.name, found->second);
      }
    }
    for (auto& [name, target] : state()) {
      auto found = saved.find(name);
      if (found == saved.end()) {
        throw Error(ExitStatus::kMalformedInput, fmt::format("optimizer state '{}' is missing in the checkpoint", name))
            .hint("was the checkpoint written with another optimizer?");
      }
      if (!(found->second.shape() == target.shape()) || found->second.dtype() != target.dtype()) {
        throw Error(ExitStatus::kMalformedInput,
                    fmt::format("optimizer state '{}' has shape {} in the checkpoint, {} here", name,
                                found->second.shape().str(), target.shape().str()));
      }
      target.copy_from(found->second);
    }
    for (size_t group = 0; group < groups_.size(); ++group) {
      groups_[group].updates = saved.at(updates_name(group)).data<int64_t>()[0];
    }
  }

 private:
  static std::string updates_name(size_t group) { return fmt::format("optimizer{}/updates", group); }

  void read_config(const Config& config) {
    defaults_ = optimizer_defaults(config);
    noise_seed_ = static_cast<uint64_t>(config.get_int("random_seed", 42));
    if (const Value* value = given(config, "maximize_grad_norm"); value != nullptr && value->as_float() != 0) {
      throw value->error("maximize_grad_norm is not supported by Wende " WENDE_VERSION);
    }
    if (const Value* value = given(config, "dynamic_learning_rate")) {
      dynamic_ = *value;
      if (dynamic_.is_callable()) return;
      ArgsReader reader(dynamic_);
      reader.field("interval", interval_, "steps after which the rate starts again");
      reader.field("decay", decay_, "factor per step");
      reader.finish("dynamic_learning_rate");
      if (interval_ < 1) throw dynamic_.error(fmt::format("dynamic_learning_rate: interval {} is below 1", interval_));
    }
  }

  /// options: a dict; without "class" it changes options of the default optimiser's class.
  size_t add_group(const Value& options) {
    for (size_t group = 0; group < groups_.size(); ++group) {
      if (groups_[group].options == options) return group;
    }
    OptimizerGroup group;
    group.optimizer = optimizer_of(options, default_options_, defaults_);
    group.options = options;
    if (const Value* multiplier = options.find("learning_rate_multiplier")) {
      group.learning_rate_multiplier = multiplier->as_float();
    }
    groups_.push_back(std::move(group));
    return groups_.size() - 1;
  }

  void add_member(const std::string& name, const Value& options, const GradientOptions& common) {
    UpdatedParam member;
    member.name = name;
    member.index = static_cast<uint32_t>(members_.size());
    member.options = common.with_layer_options(options);
    member.group = add_group(optimizer_options(options, default_options_));
    member.count = static_cast<size_t>(params_.value(name).elements());
    members_.push_back(std::move(member));
  }

  /// Parts of gradients do not say what whole ones have: their own norms, or sums of many steps.
  void require_shardable() const {
    for (const UpdatedParam& member : members_) {
      if (shard_.whole()) continue;
      if (groups_[member.group].optimizer->by_norm()) {
        throw Error(ExitStatus::kConfig, "shard_optimizer: this optimizer needs the norms of whole gradients")
            .hint("leave out shard_optimizer");
      }
      if (member.options.clips_global_norm_only()) continue;
      throw Error(ExitStatus::kConfig, fmt::format("shard_optimizer: the gradient of '{}' needs more than "
                                                   "gradient_clip_global_norm before the update",
                                                   member.name))
          .hint("leave out shard_optimizer, or the gradient's other options");
    }
  }

  void go_on_device() {
    std::vector<DeviceGradients::Member> members;
    for (const UpdatedParam& member : members_) members.push_back({member.name, member.options, member.decoupled_l2});
    on_device_ = std::make_unique<DeviceGradients>(params_, shard_, std::move(members), noise_seed_);
    for (OptimizerGroup& group : groups_) {
      group.on_device = std::make_unique<DeviceUpdate>(params_, shard_, *group.optimizer);
    }
  }

  /// RETURNN calls an optimiser once for the parameters of each accum_grad_multiple_step. Each call advances the number
  /// of updates, after all of them have read it (which RETURNN leaves to chance).
  int64_t next_number(size_t group, int64_t step, UpdateBy by) {
    std::set<int64_t> calls;
    for (const UpdatedParam& member : members_) {
      const GradientOptions& options = member.options;
      if (member.group == group && member.present && options.updates_in(step)) {
        calls.insert(options.accum_grad_multiple_step);
      }
    }
    const int64_t number = groups_[group].count(by);
    groups_[group].updates += static_cast<int64_t>(calls.size()) - 1;
    return number;
  }

  void step_on_device(double rate, int64_t step, UpdateBy by) {
    std::vector<bool> present;
    std::vector<std::optional<double>> row_squares;
    std::vector<std::vector<size_t>> updated(groups_.size());
    for (size_t i = 0; i < members_.size(); ++i) {
      const UpdatedParam& member = members_[i];
      present.push_back(member.present);
      row_squares.push_back(member.row_squares());
      if (member.present && member.options.updates_in(step)) updated[member.group].push_back(i);
    }
    const auto factor = static_cast<float>(on_device_->process(present, row_squares, step));
    for (size_t i = 0; i < groups_.size(); ++i) {
      OptimizerGroup& group = groups_[i];
      if (updated[i].empty()) continue;
      const int64_t number = next_number(i, step, by);
      const double group_rate = rate * group.learning_rate_multiplier;
      if (group.optimizer->by_norm()) {
        update_by_norm(i, group_rate, number, factor, step);
      } else {
        group.on_device->choose(choices(updated[i], true));
        group.on_device->step(group.optimizer->formula(group_rate, number), on_device_->results(), factor);
        const std::optional<UpdateFormula> untouched = group.optimizer->untouched_formula();
        const std::vector<DeviceUpdate::Choice> others = choices(updated[i], false);
        if (!untouched || others.empty()) continue;
        group.on_device->choose(others);
        group.on_device->step(*untouched, on_device_->results(), 1.0f);
      }
    }
  }

  /// What of these members is updated, or (touched = false) has rows that no frame touched.
  std::vector<DeviceUpdate::Choice> choices(const std::vector<size_t>& members, bool touched) const {
    std::vector<DeviceUpdate::Choice> result;
    for (const size_t i : members) {
      const UpdatedParam& member = members_[i];
      if (member.updates_rows()) {
        result.push_back({member.name, rows_of(member, touched)});
      } else if (touched) {
        result.push_back({member.name, {{0, shard_.part(member.name).size()}}});
      }
    }
    return result;
  }

  /// Parameter by parameter.
  void update_by_norm(size_t index, double rate, int64_t number, float factor, int64_t step) {
    const OptimizerGroup& group = groups_[index];
    const std::vector<double> squares = on_device_->squares();
    for (size_t i = 0; i < members_.size(); ++i) {
      const UpdatedParam& member = members_[i];
      if (member.group != index || !member.present || !member.options.updates_in(step)) continue;
      const double own_rate = group.optimizer->rate_by_norm(rate, squares[i] * double{factor} * double{factor});
      group.on_device->choose({{member.name, {{0, shard_.part(member.name).size()}}}});
      group.on_device->step(group.optimizer->formula(own_rate, number), on_device_->results(), factor);
    }
  }

  void allocate_state(UpdatedParam& member) {
    const std::vector<OptimizerSlot> slots = groups_[member.group].optimizer->slots();
    if (on_device_ != nullptr) {
      for (size_t i = 0; i < slots.size(); ++i) {
        member.slots.emplace_back(slots[i].name, groups_[member.group].on_device->slot(i, member.name));
      }
      member.accumulated = on_device_->sum(member.name);
      return;
    }
    const ShardRange part = shard_.part(member.name);
    member.values = params_.flat_values().data<float>() + params_.offset(member.name) + part.begin;
    member.gradient = params_.flat_gradients().data<float>() + params_.offset(member.name) + part.begin;
    member.count = part.size();
    const Shape shape = shard_.whole() ? params_.value(member.name).shape() : Shape{static_cast<int64_t>(part.size())};
    for (const OptimizerSlot& slot : slots) {
      Tensor tensor = Tensor::zeros(DType::kFloat32, shape);
      std::fill_n(tensor.data<float>(), member.count, slot.start);
      member.slots.emplace_back(slot.name, tensor);
    }
    if (member.options.accum_grad_multiple_step >= 1) {
      member.accumulated = Tensor::zeros(DType::kFloat32, shape);
      member.processed = Tensor::zeros(DType::kFloat32, shape);
    }
  }

  /// Norms of the raw gradients by tag; "" = all.
  std::map<std::string, double> global_norms() const {
    NormSums sums;
    bool needed = false;
    for (const UpdatedParam& member : members_) needed = needed || member.options.needs_global_norm();
    if (!needed) return {};
    for (const UpdatedParam& member : members_) {
      if (!member.present) continue;
      const double own = member.rows != nullptr ? 0.0 : sum_of_squares(member.gradient, member.count);
      sums.add(member.options.tags, own, member.row_squares().value_or(0.0));
    }
    return sums.norms(shard_);
  }

  void process(UpdatedParam& member, int64_t step, const std::map<std::string, double>& norms) const {
    const int64_t every = member.options.accum_grad_multiple_step;
    if (every >= 1) {
      float* sum = member.accumulated.data<float>();
      const bool first = member.options.starts_sum(step);
      for (size_t i = 0; i < member.count; ++i) sum[i] = first ? member.gradient[i] : sum[i] + member.gradient[i];
      std::memcpy(member.processed.data<float>(), sum, member.count * sizeof(float));
    }
    auto norm = [&](const std::string& tag) {
      auto found = norms.find(tag);
      return found == norms.end() ? 0.0 : found->second;
    };
    ProcessingContext context;
    context.clip_norm = norm(member.options.gradient_clip_global_norm_tag);
    context.zero_norm = norm(member.options.global_norm_tag);
    context.noise_seed = noise_seed_;
    context.step = step;
    context.param = member.index;
    if (member.rows != nullptr && member.options.clips_norm_of_rows()) context.own_squares = member.rows->squares;
    process_gradient(member.result(), member.count, member.options, context);
  }

  /// decouple_constraints. As RETURNN computes it (golden cases o14, o46): without the learning rate, and in every step
  /// while gradients are accumulated.
  static void decay(UpdatedParam& member) {
    if (member.decoupled_l2 == 0) return;
    const float keep = static_cast<float>(1 - 2 * member.decoupled_l2);
    for (size_t i = 0; i < member.count; ++i) member.values[i] *= keep;
  }

  void update(const UpdatedParam& member, const OptimizerGroup& group, int64_t number, double rate) const {
    const double own_rate = rate * group.learning_rate_multiplier;
    if (!member.updates_rows()) return group.optimizer->apply(member.range({0, member.count}), own_rate, number);
    for (const ShardRange& part : rows_of(member, true)) group.optimizer->apply(member.range(part), own_rate, number);
    for (const ShardRange& part : rows_of(member, false)) group.optimizer->apply_untouched(member.range(part));
  }
  /// Of this rank's part of the parameter.
  std::vector<ShardRange> rows_of(const UpdatedParam& member, bool touched) const {
    const auto inner = static_cast<size_t>(params_.value(member.name).elements()) / member.rows->marks.size();
    return row_ranges(member.rows->marks, inner, shard_.part(member.name), touched);
  }

  ParamStore& params_;
  UpdateShard shard_;
  std::unique_ptr<DeviceGradients> on_device_;  ///< for parameters on a GPU
  OptimizerDefaults defaults_;
  Value default_options_;
  Value dynamic_;
  int64_t interval_ = 1;
  double decay_ = 1;
  uint64_t noise_seed_ = 42;
  std::vector<OptimizerGroup> groups_;
  std::vector<UpdatedParam> members_;
};

Updater::Updater(const Config& config, ParamStore& params, const std::map<std::string, Value>& layer_opts,
                 const std::map<std::string, double>& decoupled_l2, Communicator* sharded_over)
    : impl_(std::make_unique<Impl>(config, params, layer_opts, decoupled_l2, sharded_over)) {}
Updater::~Updater() = default;

void Updater::step(double learning_rate, int64_t step, int epoch, const std::map<std::string, bool>& has_gradient,
                   UpdateBy by, const std::map<std::string, RowSums>& rows) {
  impl_->step(learning_rate, step, epoch, has_gradient, by, rows);
}
double Updater::effective_learning_rate(double learning_rate, int64_t step, int epoch) const {
  return impl_->effective_learning_rate(learning_rate, step, epoch);
}
std::map<std::string, Tensor> Updater::processed_gradients() const { return impl_->processed_gradients(); }
std::map<std::string, Tensor> Updater::state() const { return impl_->state(); }
std::map<std::string, Tensor> Updater::gathered_state() const { return impl_->gathered_state(); }
void Updater::load_state(const std::map<std::string, Tensor>& state) { impl_->load_state(state); }

}  // namespace wende

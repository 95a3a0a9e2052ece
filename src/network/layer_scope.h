#pragma once

#include <string>

#include "network/construction.h"

namespace wende {

/// The LayerBuilder of one layer under construction.
class LayerScope : public LayerBuilder {
 public:
  LayerScope(NetworkConstruction& construction, LayerPlan& plan, BuiltLayer& built)
      : construction_(construction), plan_(plan), built_(built) {}

  Graph& graph() override { return *plan_.level->graph; }
  const LayerContext& context() const override { return plan_.context; }
  const Data& out_data() const override { return built_.output.data; }
  int source_count() const override { return static_cast<int>(plan_.sources.size()); }
  LayerOutput source(int index) const override;
  LayerOutput input() override { return construction_.joined_input(plan_); }
  LayerOutput ref(const std::string& name) const override;
  LayerOutput target(int index) const override;
  Expr param(const std::string& local, Shape shape, const Value& init, const std::string& fallback,
             bool trainable) override {
    return construction_.param(plan_, built_, local, shape, init, fallback, trainable);
  }
  void assign(const std::string& local, Expr value) override { construction_.assign(built_, local, value); }
  void initialize_with(const std::string& local, Expr value) override {
    construction_.initialize_with(built_, local, value);
  }
  Expr kept(const std::string& key, const Data& data) override { return construction_.kept(plan_, key, data); }
  void keep(const std::string& key, Expr next) override { construction_.keep(plan_, built_, key, next); }
  Expr lengths(const Dim& dim) override { return construction_.lengths(*plan_.level, dim, batch_dim()); }
  Dim batch_dim() const override { return construction_.batch_dim(plan_); }
  Expr mask(const Dim& time, bool time_major) override {
    return construction_.mask(*plan_.level, time, time_major, batch_dim());
  }
  bool in_loop() const override { return plan_.level->loop != nullptr; }
  LayerOutput previous(const std::string& key, const Data& data) override {
    return construction_.previous(plan_, key, data);
  }
  void set_initial(const std::string& key, Expr value) override { construction_.set_initial(plan_, key, value); }
  Expr loop_step() override;
  Expr ended() override { return construction_.ended(plan_); }
  Hypotheses hypotheses() override { return construction_.hypotheses(plan_); }
  const Beam* source_beam(int index) const override { return plan_.sources.at(static_cast<size_t>(index))->beam.get(); }
  void add_sub_output(const std::string& key, LayerOutput output) override {
    built_.sub_outputs[key] = std::move(output);
  }
  LayerOutput source_sub_output(int index, const std::string& key) const override;
  void add_stat(Stat stat) override;
  void add_sink(Sink sink) override;
  uint32_t random_key(const std::string& local) const override {
    return name_hash(plan_.context.absolute_name + "/" + local);
  }

 private:
  NetworkConstruction& construction_;
  LayerPlan& plan_;
  BuiltLayer& built_;
};

}  // namespace wende

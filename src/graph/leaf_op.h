#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "graph/op.h"

namespace wende {

/// A node without inputs whose value is bound by name before a run: the executor hands out the bound tensor itself.
class LeafOp final : public Op {
 public:
  LeafOp(std::string leaf_name, bool is_parameter, ExprType type)
      : leaf_name_(std::move(leaf_name)), is_parameter_(is_parameter), type_(std::move(type)) {}

  const std::string& leaf_name() const { return leaf_name_; }
  bool is_parameter() const { return is_parameter_; }
  const ExprType& type() const { return type_; }

  std::string_view name() const override { return is_parameter_ ? "parameter" : "input"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("name", leaf_name_);
    visitor.field("dtype", std::string(name_of(type_.dtype)));
    visitor.field("dims", type_.dims);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {type_}; }
  void run(RunContext&) const override { throw internal_error("the leaf '" + leaf_name_ + "' is bound, not run"); }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  std::string leaf_name_;
  bool is_parameter_;
  ExprType type_;
};

}  // namespace wende

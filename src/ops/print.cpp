#include "ops/print.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "graph/op.h"

namespace wende::ops {
namespace {

template <class T>
std::string joined(const Tensor& x, int64_t count) {
  std::string text;
  for (int64_t i = 0; i < std::min(count, x.elements()); ++i) {
    text += fmt::format("{}{}", i ? " " : "", x.data<T>()[i]);
  }
  return text;
}

std::string elements_text(const Tensor& x, int64_t count) {
  switch (x.dtype()) {
    case DType::kFloat32:
      return joined<float>(x, count);
    case DType::kFloat64:
      return joined<double>(x, count);
    case DType::kInt32:
      return joined<int32_t>(x, count);
    case DType::kInt64:
      return joined<int64_t>(x, count);
    case DType::kBool:
      return joined<bool>(x, count);
    default:
      return "?";
  }
}

class PrintOp final : public Op {
 public:
  PrintOp(std::string text, int64_t count) : text_(std::move(text)), count_(count) {}
  std::string_view name() const override { return "print"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("text", text_);
    visitor.field("count", count_);
  }
  OpTraits traits() const override { return {.pure = false, .host_only = true}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    log_line(1, fmt::format("{} {} {} [{}{}]", text_, name_of(x.dtype()), x.shape().str(), elements_text(x, count_),
                            x.elements() > count_ ? " ..." : ""));
    context.output(0).copy_from(x);
  }
  std::vector<Expr> vjp(const VjpContext& context) const override { return {context.grad()}; }

 private:
  std::string text_;
  int64_t count_;
};

}  // namespace

Expr print(Expr x, const std::string& text, int64_t count) {
  return x.graph->add(std::make_shared<const PrintOp>(text, count), {x});
}

}  // namespace wende::ops

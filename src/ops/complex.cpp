#include "ops/complex.h"

#include "base/error.h"
#include "graph/device_op.h"
#include "ops/broadcast_types.h"
#include "ops/leaf.h"
#include "ops/shape.h"

namespace wende::ops {
namespace {

constexpr std::string_view kName = "complex";

class ComplexOp final : public DeviceOp {
 public:
  std::string_view name() const override { return kName; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0, 1}}; }
  OpTraits traits() const override { return {}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    for (const ExprType& input : inputs) {
      if (input.dtype != DType::kFloat32) op_error(name(), "needs float32", inputs);
    }
    return {{DType::kComplex64, inputs[0].dims}};
  }
  void run(RunContext& context) const override {
    const Tensor& z = context.output(0);
    const int64_t n = z.elements();
    const Tensor parts = Tensor::wrap(DType::kFloat32, {n, 2}, z.raw(), z.owner(), z.device());
    for (int i = 0; i < 2; ++i) parts.sliced(1, i, i + 1).copy_from(context.input(i).reshaped({n, 1}));
  }
};

Expr part_of(Expr z, size_t i) {
  const Node& node = z.graph->node(z.node);
  if (node.op->name() != kName) {
    throw Error(ExitStatus::kConfig, "the parts of " + z.type().str() + " are not known after [" +
                                         std::string(node.op->name()) + "], which is for real numbers")
        .hint("take abs, angle, real or imag of it before");
  }
  return node.inputs[i];
}

[[noreturn]] void refuse(const char* function, const std::vector<ExprType>& types) {
  op_error(function, "does not take complex64; take abs, angle, real or imag first", types);
}

Expr squared_magnitude(Expr z) { return add(unary(Unary::kSquare, real(z)), unary(Unary::kSquare, imaginary(z))); }

Expr is_zero(Expr z) { return binary(Binary::kEqual, squared_magnitude(z), constant(*z.graph, 0.0)); }

Expr product(Expr a, Expr b) {
  return complex(sub(mul(real(a), real(b)), mul(imaginary(a), imaginary(b))),
                 add(mul(real(a), imaginary(b)), mul(imaginary(a), real(b))));
}

}  // namespace

bool is_complex(const Expr& x) { return x.dtype() == DType::kComplex64; }

Expr complex(Expr real, Expr imaginary) {
  const std::vector<Dim> dims = broadcast_dims(kName, {real.type(), imaginary.type()});
  return real.graph->add(std::make_shared<const ComplexOp>(),
                         {broadcast_to(real, dims), broadcast_to(imaginary, dims)});
}

Expr real(Expr z) { return is_complex(z) ? part_of(z, 0) : z; }
Expr imaginary(Expr z) { return is_complex(z) ? part_of(z, 1) : zeros_like(z); }

Expr by_parts(Expr z, const std::function<Expr(Expr)>& f) { return complex(f(real(z)), f(imaginary(z))); }

Expr conjugate(Expr z) { return is_complex(z) ? complex(real(z), unary(Unary::kNeg, imaginary(z))) : z; }

Expr magnitude(Expr z) {
  if (!is_complex(z)) return unary(Unary::kAbs, z);
  const Expr silent = is_zero(z);
  const Expr square = where(silent, constant(*z.graph, 1.0), squared_magnitude(z));
  return where(silent, constant(*z.graph, 0.0), unary(Unary::kSqrt, square));
}

Expr angle(Expr z) {
  const Expr silent = is_zero(z);
  return binary(Binary::kAtan2, where(silent, constant(*z.graph, 0.0), imaginary(z)),
                where(silent, constant(*z.graph, 1.0), real(z)));
}

Expr complex_unary(Unary kind, Expr z) {
  switch (kind) {
    case Unary::kNeg:
      return by_parts(z, [](Expr part) { return unary(Unary::kNeg, part); });
    case Unary::kAbs:
      return magnitude(z);
    case Unary::kSquare:
      return product(z, z);
    case Unary::kExp: {
      const Expr size = unary(Unary::kExp, real(z));
      return complex(mul(size, unary(Unary::kCos, imaginary(z))), mul(size, unary(Unary::kSin, imaginary(z))));
    }
    default:
      refuse("unary", {z.type()});
  }
}

Expr complex_binary(Binary kind, Expr a, Expr b) {
  if (!is_complex(a) || !is_complex(b)) op_error(kName, "operands have different dtypes", {a.type(), b.type()});
  switch (kind) {
    case Binary::kAdd:
    case Binary::kSub:
      return complex(binary(kind, real(a), real(b)), binary(kind, imaginary(a), imaginary(b)));
    case Binary::kMul:
      return product(a, b);
    case Binary::kDiv: {
      const Expr size = squared_magnitude(b);
      return by_parts(product(a, conjugate(b)), [&](Expr part) { return div(part, size); });
    }
    default:
      refuse("binary", {a.type(), b.type()});
  }
}

Expr complex_reduce(Reduction kind, Expr z, const std::vector<int>& axes, bool keep) {
  if (kind != Reduction::kSum && kind != Reduction::kMean) refuse("reduce", {z.type()});
  return by_parts(z, [&](Expr part) { return reduce(kind, part, axes, keep); });
}

Expr complex_cast(Expr x, DType dtype) {
  if (!is_complex(x)) return complex(cast(x, DType::kFloat32), constant(*x.graph, 0.0));
  if (dtype != DType::kFloat32) refuse("cast", {x.type()});
  return real(x);
}

}  // namespace wende::ops

#pragma once

#include <functional>

#include "ops/pointwise.h"
#include "ops/reduce.h"

namespace wende::ops {

/// Complex numbers are pairs of float32 values in the graph: every function on them works on the parts, gradients never
/// see them, and a tensor of complex64 is made only for who reads it from outside (a file of outputs).

bool is_complex(const Expr& x);
/// complex64 from float32 values, which broadcast as in binary().
Expr complex(Expr real, Expr imaginary);
/// The parts; of a real value itself and zeros. Throws kConfig where an op moved the pair as a whole (gather, a loop).
Expr real(Expr z);
Expr imaginary(Expr z);

/// f of both parts, as a complex value: for what moves or adds numbers up.
Expr by_parts(Expr z, const std::function<Expr(Expr)>& f);
Expr conjugate(Expr z);
/// |z| and its angle in (-pi, pi]; both with gradient 0 at z = 0, where padded frames are.
Expr magnitude(Expr z);
Expr angle(Expr z);

/// What pointwise.h and reduce.h have for complex numbers: neg, abs, square, exp; add, sub, mul, div; sum, mean.
/// op_error for all else.
Expr complex_unary(Unary kind, Expr z);
Expr complex_binary(Binary kind, Expr a, Expr b);
Expr complex_reduce(Reduction kind, Expr z, const std::vector<int>& axes, bool keep);
/// complex64 from numbers; the real part of complex64.
Expr complex_cast(Expr x, DType dtype);

}  // namespace wende::ops

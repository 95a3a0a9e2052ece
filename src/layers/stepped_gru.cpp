#include "layers/activation.h"
#include "layers/step_cell.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {

/// TensorFlow's GRUCell with another activation than tanh: h <- u h + (1 - u) act(candidate), the gates in order r, u.
RecUnit stepped_gru(const Value& activation) {
  return {[activation](LayerBuilder& builder, const RecInput& rec) {
            const int64_t n = rec.n;
            const int64_t in = rec.n_in;
            const auto variable = [&](const char* name, Shape shape, const Value& init, const char* otherwise) {
              return builder.param(std::string("rec/gru_cell/") + name, std::move(shape), init, otherwise);
            };
            const Expr gates = variable("gates/kernel", {in + n, 2 * n}, rec.forward_init, "xavier");
            const Expr gates_b = variable("gates/bias", {2 * n}, rec.bias_init, "ones");
            const Expr candidate = variable("candidate/kernel", {in + n, n}, rec.forward_init, "xavier");
            const Expr candidate_b = variable("candidate/bias", {n}, rec.bias_init, "zeros");
            const Expr z = ops::concat({project_input(rec, kernel_rows(gates, 0, in), gates_b),
                                        project_input(rec, kernel_rows(candidate, 0, in), candidate_b)},
                                       2, Dim::fixed(3 * n));
            const auto product = [&](Graph& graph, Expr x, Expr kernel) {
              return ops::linear(x, graph.capture(kernel_rows(kernel, in, in + n)));
            };
            const auto step = [&](Graph& graph, Expr frame, const CellState& before) {
              const Expr recurrent = product(graph, before.h, gates);
              const auto sigmoid = [&](int i) {
                return ops::unary(ops::Unary::kSigmoid, ops::add(gate(frame, i, n), gate(recurrent, i, n)));
              };
              const Expr x = ops::add(gate(frame, 2, n), product(graph, ops::mul(sigmoid(0), before.h), candidate));
              const Expr fresh = apply_activation(activation, x, 1);
              const Expr h = ops::add(fresh, ops::mul(sigmoid(1), ops::sub(before.h, fresh)));
              return CellState{{}, h, h};
            };
            return run_step_cell(builder, rec, {z, step}, false);
          },
          false};
}

/// TensorFlow's BasicRNNCell with another activation than tanh.
RecUnit stepped_rnn(const Value& activation) {
  return {[activation](LayerBuilder& builder, const RecInput& rec) {
            const int64_t in = rec.n_in;
            const Expr kernel =
                builder.param("rec/basic_rnn_cell/kernel", Shape{in + rec.n, rec.n}, rec.forward_init, "xavier");
            const Expr b = builder.param("rec/basic_rnn_cell/bias", Shape{rec.n}, rec.bias_init, "zeros");
            const auto step = [&](Graph& graph, Expr frame, const CellState& before) {
              const Expr recurrent = ops::linear(before.h, graph.capture(kernel_rows(kernel, in, in + rec.n)));
              const Expr h = apply_activation(activation, ops::add(frame, recurrent), 1);
              return CellState{{}, h, h};
            };
            return run_step_cell(builder, rec, {project_input(rec, kernel_rows(kernel, 0, in), b), step}, false);
          },
          false};
}

}  // namespace wende

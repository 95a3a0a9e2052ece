/// Losses on embeddings: deep clustering and triplets.
#include <fmt/core.h>

#include "layers/axis_order.h"
#include "layers/loss_args.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/sequence.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct DeepClusteringArgs : GeneralLossArgs {
  int64_t embedding_dimension = 0;
  int64_t nr_of_sources = 0;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("embedding_dimension", embedding_dimension, "size of an embedding; divides the output's feature size");
    v.field("nr_of_sources", nr_of_sources, "classes that the target marks; divides its feature size");
  }
};

/// Per sequence |V^T V|^2 - 2 |V^T Y|^2 + |Y^T Y|^2, V [T*F/E,E] the embeddings, Y [T*F/S,S] the classes.
class DeepClustering : public Loss {
 public:
  explicit DeepClustering(DeepClusteringArgs args) : args_(std::move(args)) {
    if (args_.embedding_dimension < 1 || args_.nr_of_sources < 1) {
      throw Error(ExitStatus::kConfig, "deep_clustering needs embedding_dimension and nr_of_sources, both above 0");
    }
  }

  void check(const Data& output, const Data& target) const override {
    const auto fault = [&](const std::string& what) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("deep_clustering {}: output {}, target {}", what, output.str(), target.str()));
    };
    if (target.sparse()) fault("needs a dense target");
    if (!output.has_time() || !output.has_batch() || output.rank() != 3) fault("needs an output [B,T,F]");
    const int64_t size = output.feature_or_sparse_dim().size();
    const int64_t expected = args_.embedding_dimension * (target.feature_or_sparse_dim().size() / args_.nr_of_sources);
    if (size != expected) fault(fmt::format("expects an output dim of {}", expected));
    if (size != target.feature_or_sparse_dim().size()) fault("needs equal sizes of output and target");
  }

  LossValue build(const LossContext& context) const override {
    const Expr v = rows(context, context.output.expr, args_.embedding_dimension);
    const Expr y = rows(context, aligned_target(context), args_.nr_of_sources);
    const Expr cross = ops::scale(product(v, y), -2.0);
    LossValue loss;
    loss.value = sum_all(ops::add(ops::add(product(v, v), cross), product(y, y)));
    return loss;
  }

 private:
  /// [B, T*F/size, size] with zeros for padded frames, which add nothing to the products.
  static Expr rows(const LossContext& context, Expr x, int64_t size) {
    const Data& data = context.output.data;
    const Dim& feature = data.dims[static_cast<size_t>(data.feature_axis)];
    if (context.frame_mask.defined()) {
      x = ops::where(ops::expand_dims(context.frame_mask, data.feature_axis), x, ops::constant(*context.graph, 0.0));
    }
    x = permute_if_needed(x, {data.batch_axis(), data.time_axis, data.feature_axis});
    const Dim count = data.time_dim() * (feature.size() / size);
    return ops::reshape(x, {x.dim(0), count, Dim::fixed(size)});
  }

  /// Squared norms of a^T b per sequence.
  static Expr product(Expr a, Expr b) {
    return ops::reduce(ops::Reduction::kSum, ops::unary(ops::Unary::kSquare, ops::batch_matmul(a, b, true, false)),
                       {1, 2});
  }

  DeepClusteringArgs args_;
};

struct TripletArgs : GeneralLossArgs {
  double margin = 0.0;
  bool multi_view_training = false;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("margin", margin, "distance that embeddings of different classes should have");
    v.field("multi_view_training", multi_view_training, "the output holds two triplets, of two representations");
  }
};

/// Cosine distances d of all pairs among the 3 N embeddings: sum over pairs of one class of d / 2, over the others of
/// max(margin - d, 0) / 2.
class TripletLoss : public Loss {
 public:
  explicit TripletLoss(TripletArgs args) : args_(std::move(args)) {}

  void check(const Data& output, const Data& target) const override {
    const int64_t parts = args_.multi_view_training ? 6 : 3;
    const Dim feature = output.feature_or_sparse_dim();
    if (output.sparse() || !feature.defined() || feature.size() % parts != 0) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("triplet_loss needs an output of {} embeddings, got {}", parts, output.str()));
    }
    const bool triple =
        target.rank() == output.rank() && target.dims.back().is_static() && target.dims.back().size() >= 3;
    if (!target.sparse() || !triple) {
      throw Error(ExitStatus::kConfig, "triplet_loss needs sparse targets [..,3], got " + target.str());
    }
  }

  Expr inverse_norm(const LossContext& context) const override {
    const double factor = args_.multi_view_training ? 18.0 : 9.0;
    return sum_all(ops::constant(*context.graph, factor, DType::kFloat32, {context.batch}));
  }

  LossValue build(const LossContext& context) const override {
    const std::vector<Expr> x = parts(context);
    const Expr labels = label_column(context);
    LossValue loss;
    if (args_.multi_view_training) {
      loss.value = ops::add(triplets({x[0], x[4], x[5]}, labels), triplets({x[1], x[4], x[2]}, labels));
    } else {
      loss.value = triplets({x[0], x[1], x[2]}, labels);
    }
    return loss;
  }

 private:
  /// The valid frames (or sequences) of x [..,F]: [N,F].
  static Expr flat(const LossContext& context, Expr x) {
    const Data& data = context.output.data;
    return context.frame_mask.defined() ? ops::pack(x, data.batch_axis(), data.time_axis) : x;
  }

  /// The embeddings [N,E] that lie side by side in the output.
  std::vector<Expr> parts(const LossContext& context) const {
    const Expr x = flat(context, context.output.expr);
    const int64_t count = args_.multi_view_training ? 6 : 3;
    const int64_t size = x.dim(1).size() / count;
    std::vector<Expr> result;
    for (int64_t i = 0; i < count; ++i) {
      result.push_back(ops::slice(x, 1, i * size, (i + 1) * size, 1, Dim::fixed(size)));
    }
    return result;
  }

  static Expr label_column(const LossContext& context) {
    const Expr labels = flat(context, ops::cast(context.target.expr, DType::kInt32));
    std::vector<Expr> columns;
    for (int64_t i = 0; i < 3; ++i) {
      columns.push_back(ops::squeeze(ops::slice(labels, 1, i, i + 1, 1, Dim::fixed(1)), 1));
    }
    return stacked(columns);
  }

  static Expr stacked(const std::vector<Expr>& xs) { return ops::concat(xs, 0, xs[0].dim(0) * 3); }

  Expr triplets(const std::vector<Expr>& embeddings, Expr labels) const {
    Graph& graph = *labels.graph;
    const Expr x = stacked(embeddings);
    const Expr squares = ops::reduce(ops::Reduction::kSum, ops::unary(ops::Unary::kSquare, x), {1}, true);
    const Expr floor = ops::constant(graph, 1e-15);
    const Expr unit = ops::mul(x, ops::unary(ops::Unary::kRsqrt, ops::binary(ops::Binary::kMaximum, squares, floor)));
    const Expr distance = ops::add_scalar(ops::scale(ops::batch_matmul(unit, unit, false, true), -1.0), 1.0);
    // RETURNN compares l_j^2 with l_i l_j: class 0 counts as equal to every other.
    const Expr row = ops::expand_dims(labels, 0);
    const Expr same = ops::binary(ops::Binary::kEqual, ops::mul(ops::expand_dims(labels, 1), row), ops::mul(row, row));
    const Expr margin = ops::add_scalar(ops::scale(distance, -1.0), args_.margin);
    const Expr apart = ops::binary(ops::Binary::kMaximum, margin, ops::constant(graph, 0.0));
    return ops::scale(sum_all(ops::where(same, distance, apart)), 0.5);
  }

  TripletArgs args_;
};

const RegisterLoss<DeepClustering, DeepClusteringArgs> kRegister{
    "deep_clustering", {}, "Affinity cost of embeddings per sequence (Hershey 2016)."};
const RegisterLoss<TripletLoss, TripletArgs> kRegisterTriplet{
    "triplet_loss", {}, "Cosine distances of all pairs of embeddings, by class."};

}  // namespace
}  // namespace wende

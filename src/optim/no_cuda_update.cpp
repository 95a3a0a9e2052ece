#include "base/error.h"
#include "optim/gradient_kernels.h"
#include "optim/update_kernels.h"

namespace wende::cuda {
namespace {

Error no_cuda() { return internal_error("weights on a GPU in a build without CUDA"); }

}  // namespace

void update_weights(const UpdateFormula&, const Tensor&, const Tensor&, const Tensor&, const std::vector<Tensor>&,
                    float) {
  throw no_cuda();
}

void prepare_gradients(const GradientPieces&, const std::vector<GradientSettings>&, const GradientStep&,
                       const FlatGradients&) {
  throw no_cuda();
}
void scale_gradients(const GradientPieces&, const std::vector<GradientScale>&, const Tensor&) { throw no_cuda(); }
std::vector<double> squares_of_members(const GradientPieces&, const Tensor&) { throw no_cuda(); }

}  // namespace wende::cuda

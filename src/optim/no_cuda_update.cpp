#include "base/error.h"
#include "optim/update_kernels.h"

namespace wende::cuda {

void update_weights(const UpdateFormula&, const Tensor&, const Tensor&, const Tensor&, const std::vector<Tensor>&,
                    float) {
  throw internal_error("weights on a GPU in a build without CUDA");
}

double sum_of_squares(const Tensor&, const Tensor&) {
  throw internal_error("gradients on a GPU in a build without CUDA");
}

}  // namespace wende::cuda

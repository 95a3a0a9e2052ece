#pragma once

#include <optional>
#include <string>
#include <vector>

#include "optim/gradient_kernels.h"
#include "optim/gradient_processing.h"
#include "optim/param_store.h"
#include "optim/update_shard.h"

namespace wende {

/// What happens to the gradients on a GPU between backward and the update: sums of several steps, noise, clipping and
/// filters, in the order of process_gradient(). Nothing leaves the GPU but norms.
class DeviceGradients {
 public:
  struct Member {
    std::string param;
    GradientOptions options;
    double decoupled_l2 = 0;
  };
  /// The order of the members numbers their noise.
  DeviceGradients(const ParamStore& params, const UpdateShard& shard, std::vector<Member> members, uint64_t noise_seed);

  /// present[i]: member i has a gradient, row_squares[i]: what it counts in norms if not by itself. Returns the factor
  /// by which the update multiplies what is in results().
  double process(const std::vector<bool>& present, const std::vector<std::optional<double>>& row_squares, int64_t step);
  const Tensor& results() const { return flat_.results; }  ///< flat, as the gradients; may be the same memory
  Tensor result(const std::string& param) const;
  Tensor sum(const std::string& param) const;  ///< of the gradients of past steps; undefined if it has none
  /// Of the results of the members that are present, 0 for others. Waits.
  std::vector<double> squares() const;

 private:
  void choose(const std::vector<bool>& present);
  void prepare(int64_t step) const;
  void scale(const std::vector<double>& raw_squares, const std::vector<std::optional<double>>& row_squares) const;
  std::map<std::string, double> norms(const std::vector<double>& raw_squares,
                                      const std::vector<std::optional<double>>& row_squares) const;
  Tensor view(const Tensor& flat, const std::string& param) const;

  const ParamStore& params_;
  const UpdateShard& shard_;
  std::vector<Member> members_;
  uint64_t noise_seed_;
  bool one_factor_ = true;  ///< all members have the same global norm to clip, and nothing else
  bool prepares_ = false;
  bool scales_ = false;
  bool needs_norms_ = false;
  cuda::FlatGradients flat_;
  std::vector<bool> present_;
  std::vector<size_t> chosen_;  ///< members that are present
  cuda::GradientPieces pieces_;
};

}  // namespace wende

#pragma once

#include <map>
#include <string>
#include <utility>

#include "collective/communicator.h"
#include "collective/shards.h"
#include "optim/param_store.h"

namespace wende {

/// The part of all trainable parameters that this rank updates, and keeps the optimiser's numbers for.
class UpdateShard {
 public:
  /// Without a communicator: everything.
  UpdateShard(const ParamStore& params, Communicator* communicator);

  bool whole() const { return communicator_ == nullptr; }
  const ShardRange& range() const { return range_; }  ///< of the flat block
  /// Of a parameter, in its elements; may be empty.
  ShardRange part(const std::string& param) const;
  double sum_over_ranks(double value) const;
  /// A slot of a parameter, on the host in its whole shape, from the ranks' parts. All ranks call it.
  Tensor gathered(const std::string& param, const Tensor& part) const;
  /// This rank's part of a slot, if it has the parameter's shape; else as it is.
  Tensor part_of(const std::string& param, const Tensor& whole) const;

 private:
  const ParamStore& params_;
  Communicator* communicator_;
  ShardRange range_;
};

}  // namespace wende

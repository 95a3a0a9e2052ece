#pragma once

#include <cstdint>

#include "config/config.h"

namespace wende {

/// How ranks share data and gradients. The default is "as if one rank had the union of the batches"; with `use_horovod`
/// the config has RETURNN's meaning (semantics section 20).
struct DistributedOptions {
  enum class Reduce { kGradients, kParameters };
  enum class Data { kShard, kEverything };  ///< kEverything: each rank reads all, with another random seed
  enum class Uneven { kJoin, kDrop };       ///< ranks without data add zero, or the epoch ends for all

  bool horovod = false;
  Reduce reduce = Reduce::kGradients;
  bool average_gradients = false;
  int64_t param_sync_step = 1;    ///< kParameters: average after this many steps,
  double param_sync_seconds = 0;  ///< or, if > 0, after so many seconds
  Data data = Data::kShard;
  bool scale_learning_rate = false;
  bool bfloat16_wire = false;    ///< gradient_wire_dtype: sums of gradients travel as bfloat16
  bool shard_optimizer = false;  ///< each rank updates a range of the parameters and keeps the optimiser's state of it
  Uneven uneven_training = Uneven::kJoin;
  Uneven uneven_evaluation = Uneven::kJoin;

  /// kConfig for values that RETURNN does not know. Options without `use_horovod` have no effect, as in RETURNN.
  static DistributedOptions from_config(const Config& config);
  /// Each rank has its own course: scores are those of this rank, evaluation covers everything on each.
  bool ranks_report_alone() const { return reduce == Reduce::kParameters && data == Data::kEverything; }
};

}  // namespace wende

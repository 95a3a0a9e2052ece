#pragma once

#include "base/log.h"
#include "collective/communicator.h"
#include "config/config.h"

namespace wende {

/// The config's `log` (a file's name, also as a list of one), `log_verbosity` (also as a list: the largest). Rank 0
/// writes to stdout and to that file; the others write to files beside it, run.rank-1-4.log for rank 1 of 4
/// (with use_horovod RETURNN's names, for all ranks: run.horovod-0-4.log), or nowhere without `log`.
LogOptions run_log(const Config& config, const Communicator& communicator);

}  // namespace wende

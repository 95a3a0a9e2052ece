#pragma once

#include "base/error.h"
#include "dataset/batch.h"
#include "graph/executor.h"

namespace wende {

/// To an error of a step that found no memory: the largest values of the step with their layers, and the lengths of the
/// batch's sequences. Other errors come back as they are.
Error with_memory_use(Error error, const Executor& executor, const Batch& batch);

}  // namespace wende

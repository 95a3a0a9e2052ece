#pragma once

#include "base/error.h"
#include "dataset/batch.h"

namespace wende {

/// To an error of a step that found no memory (the executor has named its largest values): the lengths of the batch's
/// sequences. Other errors come back as they are.
Error with_lengths(Error error, const Batch& batch);

}  // namespace wende

#include "engine/batch_feed.h"

#include <utility>

#include "base/fault.h"
#include "base/progress.h"

namespace wende {
namespace {

std::optional<Batch> load(BatchLoader& loader) {
  const PhaseScope phase(phases::kInput);
  fault_point("input");
  return loader.next();
}

}  // namespace

std::optional<Batch> BatchFeed::next() {
  if (!std::exchange(ahead_, false)) {
    return load(loader_);
  }
  return std::exchange(batch_, std::nullopt);
}

void BatchFeed::look_ahead() {
  if (ahead_ || !runner_.stages_batches() || !loader_.ready()) {
    return;
  }
  batch_ = load(loader_);
  ahead_ = true;
  if (batch_) {
    runner_.stage(*batch_);
  }
}

}  // namespace wende

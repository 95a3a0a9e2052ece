#include "collective/hang_rules.h"

#include <fmt/core.h>

#include <algorithm>

namespace wende {

namespace {

bool is_idle(const RankView& view) { return view.kind == PhaseKind::kWait || view.kind == PhaseKind::kOver; }

std::string verdict(const RankView& view, double limit, double long_limit) {
  if (!view.known) {
    return "";
  }
  if (view.silent > limit) {
    return fmt::format("rank {} gives no sign of life for {:.1f} s (stopped, or its host is gone); it was at step {}",
                       view.rank, view.silent, view.step);
  }
  if (!is_idle(view) && view.age > (view.kind == PhaseKind::kStartUp ? long_limit : limit)) {
    return "hangs: " + view.str();
  }
  return "";
}

/// Everybody waits, nobody works: collectives that do not fit each other, or a rank that left early.
std::string all_wait(const std::vector<RankView>& ranks, double limit) {
  const RankView* shortest = nullptr;
  const RankView* over = nullptr;
  for (const RankView& view : ranks) {
    if (!view.known || !is_idle(view)) {
      return "";
    }
    if (view.kind == PhaseKind::kOver) {
      over = &view;
    } else if (shortest == nullptr || view.age < shortest->age) {
      shortest = &view;
    }
  }
  if (shortest == nullptr || shortest->age <= limit) {
    return "";
  }
  if (over != nullptr) {
    return fmt::format("rank {} has left while others wait for it", over->rank);
  }
  return "all ranks wait for each other";
}

}  // namespace

std::string RankView::str() const {
  if (!known) {
    return fmt::format("rank {}: not known", rank);
  }
  std::string text = fmt::format("rank {}: epoch {} step {}, {}", rank, epoch, step, phase);
  if (kind == PhaseKind::kWork && !layer.empty()) {
    text += fmt::format(" in layer '{}', operation '{}'", layer, operation);
  }
  return text + fmt::format(", {:.1f} s", age);
}

Hang find_hang(const std::vector<RankView>& ranks, double limit, double long_limit) {
  Hang hang;
  for (const RankView& view : ranks) {
    if (const std::string text = verdict(view, limit, long_limit); !text.empty()) {
      hang.message += (hang.found ? "; " : "") + text;
      hang.found = true;
    }
  }
  if (!hang.found) {
    hang.message = all_wait(ranks, limit);
    hang.found = !hang.message.empty();
  }
  if (hang.found && ranks.size() > 1) {
    constexpr size_t kMostShown = 64;
    for (size_t i = 0; i < std::min(ranks.size(), kMostShown); ++i) {
      hang.message += "\n  " + ranks[i].str();
    }
  }
  return hang;
}

}  // namespace wende

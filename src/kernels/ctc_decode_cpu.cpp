#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>

#include "kernels/ctc_decode.h"
#include "kernels/softmax_row.h"

namespace wende::cpu {
namespace {

constexpr float kLogZero = -std::numeric_limits<float>::infinity();

float log_sum(float a, float b) {
  if (a == kLogZero) return b;
  if (b == kLogZero) return a;
  return std::max(a, b) + std::log1p(std::exp(-std::fabs(a - b)));
}

struct Score {
  float total = kLogZero;
  float blank = kLogZero;  ///< of paths that end in a blank
  float label = kLogZero;  ///< of paths that end in the last label
};

/// A prefix: node of a tree of labels.
struct Prefix {
  Prefix* parent = nullptr;
  int32_t label = -1;
  int64_t number = 0;  ///< order of creation: breaks ties
  Score before, now;
  std::map<int32_t, std::unique_ptr<Prefix>> children;

  bool active() const { return now.total != kLogZero; }
};

struct BetterFirst {
  bool operator()(const Prefix* a, const Prefix* b) const {
    return a->now.total != b->now.total ? a->now.total > b->now.total : a->number < b->number;
  }
};

/// Prefix beam search over the frames of one sequence. A prefix's score is final while it stands in the beam, so the
/// set may be ordered by it.
class PrefixSearch {
 public:
  PrefixSearch(int64_t classes, int64_t width) : classes_(classes), width_(static_cast<size_t>(width)) {
    root_.now = {0.0f, 0.0f, kLogZero};
    beam_.insert(&root_);
  }

  void step(const float* scores) {
    const float most = row_max(scores, classes_);
    shift_ = most + std::log(row_sum_exp(scores, classes_, most));
    scores_ = scores;
    const std::vector<Prefix*> branches(beam_.begin(), beam_.end());
    beam_.clear();
    for (Prefix* prefix : branches) prefix->before = prefix->now;
    for (Prefix* prefix : branches) repeat(*prefix);
    for (Prefix* prefix : branches) grow(*prefix);
  }

  std::vector<int32_t> best() const {
    std::vector<int32_t> labels;
    for (const Prefix* prefix = *beam_.begin(); prefix->parent != nullptr; prefix = prefix->parent) {
      labels.push_back(prefix->label);
    }
    std::reverse(labels.begin(), labels.end());
    return labels;
  }

 private:
  float score(int64_t c) const { return scores_[c] - shift_; }

  /// The prefix stays as it is: its last label goes on, or a blank follows. Paths that reach it from its parent count
  /// too, where the parent is in the beam.
  void repeat(Prefix& prefix) {
    if (prefix.parent != nullptr) {
      if (prefix.parent->active()) {
        const Score& parent = prefix.parent->before;
        prefix.now.label =
            log_sum(prefix.now.label, prefix.label == prefix.parent->label ? parent.blank : parent.total);
      }
      prefix.now.label += score(prefix.label);
    }
    prefix.now.blank = prefix.before.total + score(classes_ - 1);
    prefix.now.total = log_sum(prefix.now.blank, prefix.now.label);
    beam_.insert(&prefix);
  }

  bool candidate(float total) const {
    return total > kLogZero && (beam_.size() < width_ || total > (*beam_.rbegin())->now.total);
  }

  void grow(Prefix& prefix) {
    if (!candidate(prefix.before.total)) return;
    for (int32_t c = 0; c < classes_ - 1; ++c) {
      std::unique_ptr<Prefix>& child = prefix.children[c];
      if (child == nullptr) {
        child = std::make_unique<Prefix>();
        child->parent = &prefix;
        child->label = c;
        child->number = ++created_;
      }
      if (child->active()) continue;
      const float label = score(c) + (c == prefix.label ? prefix.before.blank : prefix.before.total);
      if (!candidate(label)) {
        child->before = child->now = Score();
        continue;
      }
      if (beam_.size() == width_) {
        Prefix* worst = *beam_.rbegin();
        beam_.erase(worst);
        worst->now = Score();
      }
      child->now = {label, kLogZero, label};
      beam_.insert(child.get());
    }
  }

  int64_t classes_;
  size_t width_;
  Prefix root_;
  std::set<Prefix*, BetterFirst> beam_;
  const float* scores_ = nullptr;
  float shift_ = 0;
  int64_t created_ = 0;
};

}  // namespace

void ctc_decode(const Tensor& logits, const Tensor& lengths, bool time_major, int64_t beam_width, const Tensor& labels,
                const Tensor& label_lengths) {
  const int64_t classes = logits.dim(2);
  const int64_t batch = lengths.elements();
  const int64_t time = logits.dim(time_major ? 0 : 1);
  for (int64_t b = 0; b < batch; ++b) {
    const float* x = logits.data<float>() + (time_major ? b * classes : b * time * classes);
    const int64_t step = time_major ? batch * classes : classes;
    const int64_t frames = std::min<int64_t>(lengths.data<int32_t>()[b], time);
    PrefixSearch search(classes, beam_width);
    for (int64_t t = 0; t < frames; ++t) search.step(x + t * step);
    const std::vector<int32_t> best = search.best();
    std::copy(best.begin(), best.end(), labels.data<int32_t>() + b * time);
    label_lengths.data<int32_t>()[b] = static_cast<int32_t>(best.size());
  }
}

}  // namespace wende::cpu

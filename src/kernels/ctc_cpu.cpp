#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "kernels/ctc.h"
#include "kernels/ctc_score.h"
#include "kernels/softmax_row.h"
#include "kernels/vector_math.h"

namespace wende::cpu {
namespace {

using ctc::kLogZero;
using ctc::kNoPathBelow;
using ctc::log_sum_exp;

/// The states blank, l1, blank, l2, ..., blank of one sequence and their scores per frame. Rows have two states more
/// on each side with score log 0, so that loops need no borders.
class Lattice {
 public:
  static constexpr int64_t kBorder = 2;

  Lattice(std::vector<int32_t> labels, const CtcOptions& options) : options_(options) {
    states_ = 2 * static_cast<int64_t>(labels.size()) + 1;
    stride_ = states_ + 2 * kBorder;
    classes_.assign(static_cast<size_t>(states_), static_cast<int32_t>(options.blank));
    skip_.assign(static_cast<size_t>(stride_), kLogZero);
    for (size_t i = 0; i < labels.size(); ++i) {
      const size_t state = 2 * i + 1;
      classes_[state] = labels[i];
      const bool same = i > 0 && labels[i] == labels[i - 1];
      if (i > 0 && !(options.label_loop && same)) skip_[state + kBorder] = 0.0;
    }
    stay_.assign(static_cast<size_t>(stride_), 0.0);
    for (int64_t state = 1; state < states_ && !options.label_loop; state += 2) stay_[at(state)] = kLogZero;
  }

  /// Scores of the states of one frame from its class scores less `shift`.
  void add_frame(const float* scores, double shift) {
    const size_t begin = frames_.size();
    frames_.resize(begin + static_cast<size_t>(stride_), kLogZero);
    for (int64_t state = 0; state < states_; ++state) {
      const double score = static_cast<double>(scores[classes_[static_cast<size_t>(state)]]) - shift;
      frames_[begin + at(state)] = score > kLogZero ? score : kLogZero;  // also for -inf and NaN
    }
    ++time_;
  }

  /// Total log score; posteriors of states become readable through occupancy().
  double full_sum() {
    forward();
    total_ = log_sum_exp(alpha(time_ - 1)[at(states_ - 1)], states_ > 1 ? alpha(time_ - 1)[at(states_ - 2)] : kLogZero,
                         kLogZero);
    return total_;
  }

  /// Calls add(t, class, posterior) for every state of every frame.
  template <class Add>
  void occupancy(Add add) const {
    std::vector<double> beta(static_cast<size_t>(stride_), kLogZero);
    std::vector<double> next(static_cast<size_t>(stride_), kLogZero);
    beta[at(states_ - 1)] = 0.0;
    if (states_ > 1) beta[at(states_ - 2)] = 0.0;
    for (int64_t t = time_ - 1; t >= 0; --t) {
      const double* a = alpha(t);
      for (int64_t s = 0; s < states_; ++s) {
        const double posterior = std::exp(a[at(s)] + beta[at(s)] - total_);
        add(t, classes_[static_cast<size_t>(s)], static_cast<float>(posterior));
      }
      if (t == 0) return;
      const double* score = frame(t);
      for (size_t i = 0; i < next.size(); ++i) next[i] = beta[i] + score[i];
      for (int64_t s = kBorder; s < states_ + kBorder; ++s) {
        const size_t i = static_cast<size_t>(s);
        beta[i] = log_sum_exp(next[i] + stay_[i], next[i + 1], next[i + 2] + skip_[i + 2]);
      }
    }
  }

  /// Score of the best path; its classes by frame.
  double best_path(std::vector<int32_t>& path) const {
    std::vector<double> score(static_cast<size_t>(stride_), kLogZero);
    std::vector<double> before;
    std::vector<int8_t> from(static_cast<size_t>(time_ * states_), 0);
    for (int64_t s = 0; s < std::min<int64_t>(2, states_); ++s) score[at(s)] = frame(0)[at(s)];
    for (int64_t t = 1; t < time_; ++t) {
      before = score;
      for (int64_t s = 0; s < states_; ++s) {
        const size_t i = at(s);
        double best = before[i] + stay_[i];
        int8_t step = 0;
        if (before[i - 1] > best) best = before[i - 1], step = 1;
        if (before[i - 2] + skip_[i] > best) best = before[i - 2] + skip_[i], step = 2;
        score[i] = best + frame(t)[i];
        from[static_cast<size_t>(t * states_ + s)] = step;
      }
    }
    int64_t state = states_ - 1;
    if (states_ > 1 && score[at(states_ - 2)] > score[at(states_ - 1)]) state = states_ - 2;
    const double total = score[at(state)];
    path.assign(static_cast<size_t>(time_), 0);
    for (int64_t t = time_ - 1; t >= 0; --t) {
      path[static_cast<size_t>(t)] = classes_[static_cast<size_t>(state)];
      state -= from[static_cast<size_t>(t * states_ + state)];
    }
    return total;
  }

 private:
  static size_t at(int64_t state) { return static_cast<size_t>(state + kBorder); }
  const double* frame(int64_t t) const { return frames_.data() + t * stride_; }
  const double* alpha(int64_t t) const { return alphas_.data() + t * stride_; }

  void forward() {
    alphas_.assign(static_cast<size_t>(time_ * stride_), kLogZero);
    for (int64_t s = 0; s < std::min<int64_t>(2, states_); ++s) alphas_[at(s)] = frame(0)[at(s)];
    for (int64_t t = 1; t < time_; ++t) {
      const double* before = alpha(t - 1);
      const double* score = frame(t);
      double* now = alphas_.data() + t * stride_;
      for (int64_t i = kBorder; i < states_ + kBorder; ++i) {
        const size_t k = static_cast<size_t>(i);
        now[i] = score[i] + log_sum_exp(before[i] + stay_[k], before[i - 1], before[i - 2] + skip_[k]);
      }
    }
  }

  CtcOptions options_;
  int64_t states_ = 1;
  int64_t stride_ = 0;
  int64_t time_ = 0;
  std::vector<int32_t> classes_;
  std::vector<double> stay_;  ///< 0, or log 0 where a state lasts one frame only
  std::vector<double> skip_;  ///< 0 where the state may follow the one before the last
  std::vector<double> frames_;
  std::vector<double> alphas_;
  double total_ = 0;
};

/// One sequence of a batch.
class Sequence {
 public:
  Sequence(const Tensor& logits, const Tensor& grad, int64_t b, const CtcOptions& options)
      : options_(options), classes_(logits.dim(2)) {
    const int64_t batch = logits.dim(options.time_major ? 1 : 0);
    const int64_t time = logits.dim(options.time_major ? 0 : 1);
    step_ = options.time_major ? batch * classes_ : classes_;
    const int64_t start = options.time_major ? b * classes_ : b * time * classes_;
    logits_ = logits.data<float>() + start;
    grad_ = grad.defined() ? grad.data<float>() + start : nullptr;
    time_ = time;
  }

  float run(int64_t frames, const std::vector<int32_t>& labels) {
    clear_grad(0, time_);
    const auto count = static_cast<int64_t>(labels.size());
    if ((frames == 0 && options_.empty_is_zero) || (options_.ignore_longer && count > frames)) return 0.0f;
    if (frames == 0) return count == 0 ? 0.0f : no_path(0);
    Lattice lattice(labels, options_);
    shifts_.assign(static_cast<size_t>(frames), 0.0f);
    for (int64_t t = 0; t < frames; ++t) {
      const float* x = logits_ + t * step_;
      if (options_.normalize || options_.grad_wrt_softmax) {
        const float most = row_max(x, classes_);
        shifts_[static_cast<size_t>(t)] = most + std::log(row_sum_exp(x, classes_, most));
      }
      lattice.add_frame(x, options_.normalize ? static_cast<double>(shifts_[static_cast<size_t>(t)]) : 0.0);
    }
    std::vector<int32_t> path;
    const double total = options_.viterbi ? lattice.best_path(path) : lattice.full_sum();
    if (!(total > kNoPathBelow)) return no_path(frames);
    if (grad_ != nullptr) {
      start_grad(frames);
      if (options_.viterbi) {
        for (int64_t t = 0; t < frames; ++t) grad_[t * step_ + path[static_cast<size_t>(t)]] -= 1.0f;
      } else {
        lattice.occupancy([this](int64_t t, int32_t c, float posterior) { grad_[t * step_ + c] -= posterior; });
      }
    }
    return static_cast<float>(-total);
  }

 private:
  void clear_grad(int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end && grad_ != nullptr; ++t) std::fill_n(grad_ + t * step_, classes_, 0.0f);
  }

  /// The part of the gradient that does not depend on the alignment: the softmax, where the logits have one.
  void start_grad(int64_t frames) {
    for (int64_t t = 0; t < frames && options_.grad_wrt_softmax; ++t) {
      const float* x = logits_ + t * step_;
      float* to = grad_ + t * step_;
      const float shift = options_.normalize ? shifts_[static_cast<size_t>(t)] : 0.0f;
      for (int64_t i = 0; i < classes_; ++i) to[i] = vm::exp(x[i] - shift);
    }
  }

  float no_path(int64_t frames) {
    if (options_.no_path != CtcNoPath::kZeroInfinity && grad_ != nullptr && frames > 0) start_grad(frames);
    return options_.no_path == CtcNoPath::kInfinite ? std::numeric_limits<float>::infinity() : 0.0f;
  }

  const CtcOptions& options_;
  int64_t classes_;
  int64_t time_ = 0;
  int64_t step_ = 0;
  const float* logits_ = nullptr;
  float* grad_ = nullptr;
  std::vector<float> shifts_;
};

}  // namespace

void ctc_loss(const Tensor& logits, const Tensor& frame_lengths, const Tensor& labels, const Tensor& label_lengths,
              const CtcOptions& options, const Tensor& loss, const Tensor& grad) {
  const int64_t batch = loss.elements();
  const int64_t width = labels.dim(1);
  const int64_t time = logits.dim(options.time_major ? 0 : 1);
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t count = std::min<int64_t>(label_lengths.data<int32_t>()[b], width);
    std::vector<int32_t> own;
    for (int64_t u = 0; u < count; ++u) {
      const int32_t label = labels.data<int32_t>()[b * width + u];
      if (label < 0 || label >= logits.dim(2)) {
        throw Error(ExitStatus::kMalformedInput,
                    fmt::format("[ctc_loss] label {} is outside of [0,{}) (sequence {})", label, logits.dim(2), b));
      }
      if (!options.collapse_labels || own.empty() || own.back() != label) own.push_back(label);
    }
    Sequence sequence(logits, grad, b, options);
    const int64_t frames = std::min<int64_t>(frame_lengths.data<int32_t>()[b], time);
    loss.data<float>()[b] = sequence.run(frames, own);
  }
}

}  // namespace wende::cpu

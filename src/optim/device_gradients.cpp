#include "optim/device_gradients.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "optim/norm_sums.h"
#include "optim/update_kernels.h"
#include "tensor/placement.h"

namespace wende {
namespace {

bool prepares(const DeviceGradients::Member& member) {
  const GradientOptions& o = member.options;
  return o.accum_grad_multiple_step >= 1 || o.gradient_noise > 0 || o.gradient_clip > 0 || member.decoupled_l2 != 0;
}

bool clips_own_norm(const GradientOptions& o) { return o.gradient_clip_norm > 0 || o.gradient_clip_avg_norm > 0; }

bool scales(const GradientOptions& o) {
  return clips_own_norm(o) || o.needs_global_norm() || o.gradient_nan_inf_filter;
}

/// squares: of the gradient as it is now, and as gradient_clip_norm has it. Norms as in ProcessingContext.
cuda::GradientScale scale_of(const GradientOptions& o, double squares, double own_squares, double count,
                             double clip_norm, double zero_norm) {
  cuda::GradientScale scale;
  double norm = std::sqrt(squares);
  const auto multiply = [&](double factor) {
    scale.factor *= static_cast<float>(factor);
    norm *= factor;
  };
  if (o.gradient_clip_norm > 0) multiply(clip_factor(std::sqrt(own_squares), o.gradient_clip_norm));
  if (o.gradient_clip_avg_norm > 0) multiply(clip_factor(norm / count, o.gradient_clip_avg_norm));
  if (o.gradient_clip_global_norm > 0) multiply(clip_factor(clip_norm, o.gradient_clip_global_norm));
  scale.filters = o.gradient_nan_inf_filter ? 1 : 0;
  scale.clears = o.grad_norm_to_clip_to_zero > 0 && !(zero_norm <= o.grad_norm_to_clip_to_zero) ? 1 : 0;
  return scale;
}

}  // namespace

DeviceGradients::DeviceGradients(const ParamStore& params, const UpdateShard& shard, std::vector<Member> members,
                                 uint64_t noise_seed)
    : params_(params), shard_(shard), members_(std::move(members)), noise_seed_(noise_seed) {
  flat_ = {params.flat_values(), params.flat_gradients(), Tensor(), params.flat_gradients()};
  bool accumulates = false;
  for (const Member& member : members_) {
    const GradientOptions& o = member.options;
    const bool same_clip = o.gradient_clip_global_norm == members_[0].options.gradient_clip_global_norm;
    one_factor_ = one_factor_ && same_clip && o.clips_global_norm_only() && member.decoupled_l2 == 0;
    prepares_ = prepares_ || prepares(member);
    scales_ = scales_ || scales(o);
    needs_norms_ = needs_norms_ || o.needs_global_norm();
    accumulates = accumulates || o.accum_grad_multiple_step >= 1;
  }
  if (!accumulates) return;
  const Tensor& gradients = flat_.gradients;
  flat_.sums = Tensor::empty(DType::kFloat32, gradients.shape(), gradients.device());
  flat_.results = Tensor::empty(DType::kFloat32, gradients.shape(), gradients.device());
  clear(flat_.sums);
  clear(flat_.results);
}

Tensor DeviceGradients::view(const Tensor& flat, const std::string& param) const {
  const auto begin = static_cast<int64_t>(params_.offset(param));
  const Tensor& value = params_.value(param);
  return flat.sliced(0, begin, begin + value.elements()).reshaped(value.shape());
}

Tensor DeviceGradients::result(const std::string& param) const { return view(flat_.results, param); }

Tensor DeviceGradients::sum(const std::string& param) const {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const Member& member) { return member.param == param; });
  const bool has = found != members_.end() && found->options.accum_grad_multiple_step >= 1;
  return has ? view(flat_.sums, param) : Tensor();
}

void DeviceGradients::choose(const std::vector<bool>& present) {
  if (present == present_) return;
  present_ = present;
  chosen_.clear();
  std::vector<int64_t> pieces;
  std::vector<int64_t> firsts{0};
  for (size_t i = 0; i < members_.size(); ++i) {
    if (!present[i]) continue;
    const ShardRange part = shard_.part(members_[i].param);
    const auto begin = static_cast<int64_t>(params_.offset(members_[i].param) + part.begin);
    const auto count = static_cast<int64_t>(part.size());
    for (int64_t done = 0; done < count; done += cuda::kUpdatePiece) {
      pieces.insert(pieces.end(),
                    {begin + done, std::min(cuda::kUpdatePiece, count - done), static_cast<int64_t>(chosen_.size())});
    }
    firsts.push_back(static_cast<int64_t>(pieces.size() / 3));
    chosen_.push_back(i);
  }
  const Device device = flat_.values.device();
  pieces_.pieces = on(device, Tensor::of<int64_t>(pieces, Shape{static_cast<int64_t>(pieces.size() / 3), 3}));
  pieces_.firsts = on(device, Tensor::of<int64_t>(firsts, Shape{static_cast<int64_t>(firsts.size())}));
}

void DeviceGradients::prepare(int64_t step) const {
  std::vector<cuda::GradientSettings> settings;
  for (const size_t i : chosen_) {
    const Member& member = members_[i];
    const bool sums = member.options.accum_grad_multiple_step >= 1;
    const int32_t accumulates = !sums ? 0 : member.options.starts_sum(step) ? cuda::kStartsSum : cuda::kAddsToSum;
    settings.push_back({static_cast<float>(member.options.gradient_noise),
                        static_cast<float>(member.options.gradient_clip),
                        static_cast<float>(1 - 2 * member.decoupled_l2), accumulates, static_cast<uint32_t>(i)});
  }
  const auto number = static_cast<uint64_t>(step);
  cuda::prepare_gradients(pieces_, settings, {noise_seed_, number}, flat_);
}

std::map<std::string, double> DeviceGradients::norms(const std::vector<double>& raw_squares,
                                                     const std::vector<std::optional<double>>& row_squares) const {
  NormSums sums;
  for (size_t c = 0; c < raw_squares.size(); ++c) {
    const std::optional<double>& rows = row_squares[chosen_[c]];
    sums.add(members_[chosen_[c]].options.tags, rows ? 0.0 : raw_squares[c], rows.value_or(0.0));
  }
  return sums.norms(shard_);
}

void DeviceGradients::scale(const std::vector<double>& raw_squares,
                            const std::vector<std::optional<double>>& row_squares) const {
  std::map<std::string, double> of_tag = norms(raw_squares, row_squares);
  const bool own =
      std::any_of(chosen_.begin(), chosen_.end(), [&](size_t i) { return clips_own_norm(members_[i].options); });
  const std::vector<double> squares =
      own ? cuda::squares_of_members(pieces_, flat_.results) : std::vector<double>(chosen_.size(), 0.0);
  std::vector<cuda::GradientScale> all;
  for (size_t c = 0; c < chosen_.size(); ++c) {
    const Member& member = members_[chosen_[c]];
    const std::optional<double>& rows = row_squares[chosen_[c]];
    const double own_squares = rows && member.options.clips_norm_of_rows() ? *rows : squares[c];
    const auto count = static_cast<double>(params_.value(member.param).elements());
    const double clip_norm = of_tag[member.options.gradient_clip_global_norm_tag];
    const double zero_norm = of_tag[member.options.global_norm_tag];
    all.push_back(scale_of(member.options, squares[c], own_squares, count, clip_norm, zero_norm));
  }
  cuda::scale_gradients(pieces_, all, flat_.results);
}

double DeviceGradients::process(const std::vector<bool>& present, const std::vector<std::optional<double>>& row_squares,
                                int64_t step) {
  choose(present);
  std::vector<double> squares;
  if (needs_norms_) squares = cuda::squares_of_members(pieces_, flat_.gradients);
  if (one_factor_) {
    if (!needs_norms_) return 1;
    return clip_factor(norms(squares, row_squares)[""], members_[0].options.gradient_clip_global_norm);
  }
  if (pieces_.pieces.elements() == 0) return 1;
  if (prepares_) prepare(step);
  if (scales_) scale(squares, row_squares);
  return 1;
}

std::vector<double> DeviceGradients::squares() const {
  const std::vector<double> own = cuda::squares_of_members(pieces_, flat_.results);
  std::vector<double> all(members_.size(), 0.0);
  for (size_t c = 0; c < chosen_.size(); ++c) all[chosen_[c]] = own[c];
  return all;
}

}  // namespace wende

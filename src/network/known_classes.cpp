#include "network/known_classes.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "layers/layer.h"

namespace wende {
namespace {

std::set<std::string> words(const char* text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

/// All layer classes that RETURNN registers for TensorFlow.
const std::set<std::string>& known_classes() {
  static const std::set<std::string> kNames = words(R"(
:i accumulate_mean activation alternating_real_to_complex apply_length_distribution batch_median_pooling
batch_norm batch_softmax boolean_mask cast choice choice_get_beam_scores choice_get_src_beams
classes_to_length_distribution classes_to_length_distribution_global classes_to_segments combine combine_dims
compare complex_to_alternating_real concat concat_attention cond constant conv copy
ctc_loss cum_concat cumsum dct decide decide_keep_beam dot dot_attention dropout edit_distance
edit_distance_table elemwise_prod eval expand_dims fast_bw fill_unused first_t_frames_noise_estimator
flatten_batch flatten_time fold forced_align forward framewise_statistics gather gather_nd gating
gauss_window_attention generic_attention get_last_hidden_state get_rec_accumulated global_train_step gradient
hdf_dump hidden identity image_summary istft kenlm layer_norm length linear loss mask_based_gevbeamforming
mask_based_mvdrbeamforming masked_computation math_norm merge_dims
multichannel_multiresolution_stft_layer multichannel_stft_layer norm normalize_length_scores optimal_completions
pad parametric_wiener_filter pool positional_encoding postfix_in_time prefix_in_time print rand_int random
random_state_init range range_from_length range_in_axis rec rec_last_output rec_unstack reduce reduce_out
reinterpret_data relative_positional_encoding remove repeat reshape resize rnn_cell scaled_grad scatter_nd
search_sorted segment_alignment segment_input self_attention seq_len_mask shift_axis signal_masking slice
slice_nd softmax softmax_over_spatial source sparse_softmax_cross_entropy_with_logits split split_batch_beam
split_batch_time split_concatenated_multichannel split_dims squeeze stack stft subnetwork swap_axes
swap_time_feature switch synthetic_gradient tikhonov_regularization tile tile_features time_chunking
time_unchunking top_k train_flag transpose transposed_conv twod_lstm unflatten_batch unflatten_nd unmask
unsegment_input variable variable_assign variable_read weighted_sum window)");
  return kNames;
}

/// What to do without a class that Wende does not have; "" if there is nothing to say.
std::string instead_of(const std::string& name) {
  static const std::set<std::string> kUnpublished = words(R"(
mask_based_gevbeamforming mask_based_mvdrbeamforming parametric_wiener_filter)");
  static const std::set<std::string> kSegmental = words(R"(
apply_length_distribution classes_to_length_distribution classes_to_length_distribution_global classes_to_segments
fill_unused flatten_time normalize_length_scores segment_alignment segment_input swap_time_feature unsegment_input)");
  static const std::map<std::string, std::string> kOthers = {
      {"twod_lstm", "RETURNN has it for GPUs only, so that there are no numbers to compare with"},
      {"boolean_mask", "a 'masked_computation' outside of loops keeps the frames of a mask"},
      {"remove", "a 'masked_computation' with a 'compare' layer as its mask keeps all other labels"},
      {"batch_median_pooling", "RETURNN's own fails with today's TensorFlow"},
      {"first_t_frames_noise_estimator", "'slice' and 'reduce' give the mean of the first frames"},
      {"split_concatenated_multichannel", "'split_dims' gives the channels an axis of their own"},
      {"tile_features", "RETURNN's own fails; 'tile' with multiples {\"F\": n} repeats features"},
      {"fold", "'time_unchunking' and 'window' with 'reduce' are there"},
      {"batch_softmax", "RETURNN's own fails with today's TensorFlow; an 'eval' of exp and reduce layers say the same"},
      {"cum_concat", "'self_attention' keeps its keys and values in a loop by itself"},
      {"kenlm", "n-gram language models need an external library; rescore the n-best list of a search instead"},
      {"random_state_init", "'random' keeps its own state"},
      {"variable_assign", "'accumulate_mean' and 'batch_norm' keep running values"},
      {"variable_read", "read the 'variable' layer itself"},
  };
  if (kUnpublished.count(name) != 0) {
    return "RETURNN's is a call of the package tfSi6Proc, which is not public; 'signal_masking' applies masks to "
           "spectra";
  }
  if (kSegmental.count(name) != 0) {
    return "the layers of segmental models are not there";
  }
  const auto found = kOthers.find(name);
  return found == kOthers.end() ? std::string() : found->second;
}

}  // namespace

Error unsupported_class(const std::string& name) {
  if (known_classes().count(name) != 0) {
    const std::string instead = instead_of(name);
    return Error(ExitStatus::kConfig,
                 "layer class '" + name + "' is known in RETURNN but not supported by Wende " WENDE_VERSION)
        .hint(instead.empty() ? "`wende layers` lists the classes that Wende has" : instead);
  }
  std::vector<std::string> candidates(known_classes().begin(), known_classes().end());
  for (const std::string& own : LayerRegistry::instance().names()) {
    candidates.push_back(own);
  }
  return Error(ExitStatus::kConfig, "unknown layer class '" + name + "'").hint(did_you_mean(name, candidates));
}

bool has_state(const std::string& name) { return name == "rec" || name == "rnn_cell" || name == "self_attention"; }

bool has_no_default_input(const std::string& name) {
  static const std::set<std::string> kNames = words(R"(
constant ctc_loss edit_distance generic_attention global_train_step masked_computation rand_int random random_state_init range rec_last_output search_sorted source sparse_softmax_cross_entropy_with_logits switch train_flag variable)");
  return kNames.count(name) != 0;
}

bool updates_with_optimizer(const std::string& name) { return name == "accumulate_mean"; }

bool is_recurrent_class(const std::string& name) {
  // What RETURNN's layer classes say of themselves (`recurrent`); nets without any are trained on frames. Its combine
  // says so for kind "eval" only, which configs write as class eval.
  static const std::set<std::string> kNames = words(R"(
cond conv ctc_loss cum_concat cumsum dct edit_distance edit_distance_table eval fast_bw fold generic_attention
istft loss masked_computation optimal_completions pool positional_encoding postfix_in_time prefix_in_time range
range_from_length range_in_axis rec relative_positional_encoding rnn_cell search_sorted self_attention slice_nd
softmax_over_spatial stft subnetwork time_chunking time_unchunking transposed_conv twod_lstm unflatten_nd unmask
window)");
  return kNames.count(name) != 0;
}

}  // namespace wende

#include "layers/option_types.h"

#include <map>

#include "config/type_check.h"

namespace wende {
namespace {

/// By option, or by "class.option" where classes differ.
const std::map<std::string, std::string> kTypes = {
    {"activation.opts", "dict|None"},
    {"auto_use_channel_first", "bool|None"},
    {"choice.add_to_beam_scores", "bool|None"},
    {"choice.base_beam_score_scale", "float|None"},
    {"choice.beam_size", "int|None"},
    {"choice.cheating", "bool|str|None"},
    {"choice.custom_score_combine", "function|None"},
    {"choice.explicit_search_source", "str|None"},
    {"choice.explicit_search_sources", "list|dict|None"},
    {"choice.input_type", "str|None"},
    {"choice.keep_beams", "bool|None"},
    {"choice.length_normalization", "bool|None"},
    {"choice.length_normalization_exponent", "float|None"},
    {"choice.prob_scale", "float|None"},
    {"choice.random_sample_scale", "float|None"},
    {"choice.search", "bool|None"},
    {"choice.source_beam_sizes", "list|tuple|None"},
    {"constant.dtype", "str|None"},
    {"constant.shape", "tuple|list|None"},
    {"constant.sparse_dim", "Dim|None"},
    {"decide.length_normalization", "bool|None"},
    {"dot.add_var2_if_empty", "bool|None"},
    {"dot.debug", "bool|None"},
    {"enforce_batch_dim_axis", "int|None"},
    {"eval", "str|function|None"},
    {"eval_locals", "dict|None"},
    {"expand_dims.dim", "int|Dim|None"},
    {"extra_deps", "str|list|tuple|None"},
    {"extra_print_args", "list|tuple|None"},
    {"fast_bw.sprint_opts", "dict|None"},
    {"fast_bw.staircase_seq_len_source", "str|None"},
    {"fast_bw.tdp_scale", "float|None"},
    {"hdf_dump.labels", "list|tuple|None"},
    {"identity.control_dependencies", "str|list|tuple|None"},
    {"kind", "str|None"},
    {"non_critical_for_restore", "bool|None"},
    {"out_spatial_dim", "Dim|None"},
    {"out_spatial_dims", "list|tuple|None"},
    {"pad.out_dims", "Dim|list|tuple|None"},
    {"pad_seq_len_to_power", "float|None"},
    {"pad_to_multiples", "bool|None"},
    {"postfix_in_time.postfix", "float|str|None"},
    {"rand_int.seed", "int|None"},
    {"random.algorithm", "str|None"},
    {"random.feature_dim", "Dim|None"},
    {"random.seed", "int|list|tuple|None"},
    {"range.dtype", "str|None"},
    {"rec.back_prop", "bool|None"},
    {"rec.cheating", "bool|str|None"},
    {"rec.debug", "bool|None"},
    {"rec.include_eos", "bool|None"},
    {"rec.max_seq_len", "int|str|None"},
    {"rec.optimize_move_layers_out", "bool|None"},
    {"rec.unroll", "bool|None"},
    {"rec.use_global_rec_step_offset", "bool|None"},
    {"resize.fill_value", "float|None"},
    {"restrict_state_to_last_seq", "bool|None"},
    {"rnn_cell.unit", "str|None"},
    {"split.out_dims", "list|tuple|None"},
    {"split_dims.pad_value", "float|None"},
    {"subnetwork.out_type", "dict|function|None"},
    {"summarize", "int|None"},
    {"tile.out_dims", "dict|None"},
    {"top_k.axis", "str|list|tuple|Dim|int|None"},
    {"top_k.k", "int|str|None"},
    {"top_k.k_dim", "Dim|None"},
    {"use_channel_first", "bool|None"},
    {"weighted_sum.padding", "str|None"},
    {"window_dim", "Dim|None"},
    {"with_bias", "bool|None"},
};

}  // namespace

std::string own_option_type(const std::string& layer_class, const std::string& option) {
  for (const std::string& key : {layer_class + "." + option, option}) {
    if (const auto found = kTypes.find(key); found != kTypes.end()) {
      return found->second;
    }
  }
  return "";
}

void check_own_types(const std::string& layer_class, const Value& options) {
  ErrorCollector errors;
  for (const auto& [key, value] : options.entries()) {
    const std::string type = key.is_string() ? own_option_type(layer_class, key.as_string()) : "";
    if (!type.empty()) {
      errors.run([&, &value = value] { check_type(value, type); });
    }
  }
  errors.throw_if_any();
}

}  // namespace wende

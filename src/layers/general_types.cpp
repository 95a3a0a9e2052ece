#include "layers/general_types.h"

#include "config/type_check.h"

namespace wende {

const std::map<std::string, std::string>& general_option_types() {
  static const std::map<std::string, std::string> kTypes = {
      {"class", "str"},
      {"from", "str|list[str]|tuple[str]|None"},
      {"n_out", "int|Dim|None"},
      {"out_type", "dict|function|None"},
      {"out_dim", "Dim|None"},
      {"out_shape", "set[Dim]|tuple|list|None"},
      {"in_dim", "Dim|None"},
      {"loss", "str|None"},
      {"target", "str|list[str]|tuple[str]|None"},
      {"size_target", "str|None"},
      {"loss_scale", "float|None"},
      {"loss_opts", "dict|None"},
      {"loss_only_on_non_search", "bool|None"},
      {"trainable", "bool|None"},
      {"L2", "float|None"},
      {"darc1", "float|None"},
      {"dropout", "float|None"},
      {"dropout_noise_shape", "dict|list|tuple|None"},
      {"dropout_axis", "str|list|tuple|Dim|int|None"},
      {"dropout_on_forward", "bool|None"},
      {"spatial_smoothing", "float|None"},
      {"register_as_extern_data", "str|None"},
      {"reuse_params", "str|dict|None"},
      {"name_scope", "str|None"},
      {"param_device", "str|None"},
      {"param_variational_noise", "float|None"},
      {"param_dropout", "float|None"},
      {"param_dropout_min_ndim", "int|None"},
      {"updater_opts", "dict|None"},
      {"is_output_layer", "bool|None"},
      {"only_on_eval", "bool|None"},
      {"only_on_search", "bool|None"},
      {"copy_output_loss_from_source_idx", "int|None"},
      {"batch_norm", "bool|dict|None"},
      {"initial_output", "str|float|bool|None"},
      {"state", "str|dict|list|tuple|None"},
      {"initial_state", "str|float|dict|list|tuple|None"},
      {"rec_previous_layer", "None"},
      {"encapsulate", "bool|None"},
      {"need_last", "bool|None"},
      {"collocate_with", "str|list[str]|tuple[str]|None"},
      {"custom_param_importer", "str|function|None"},
      {"control_dependencies_on_output", "function|None"},
      {"debug_print_layer_output", "bool|dict|None"},
  };
  return kTypes;
}

void check_general_types(const Value& options) {
  ErrorCollector errors;
  for (const auto& [name, type] : general_option_types()) {
    if (const Value* value = options.find(name)) {
      errors.run([&, &name = name, &type = type] { check_type(*value, type); });
    }
  }
  errors.throw_if_any();
}

}  // namespace wende

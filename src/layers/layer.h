#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/args.h"
#include "config/value.h"
#include "dims/data.h"
#include "graph/graph.h"
#include "layers/option_types.h"

namespace wende {

class LayerBuilder;

/// What out_data may look at: templates of the sources, names, modes. No numbers.
struct LayerContext {
  std::string name;           ///< in its network: "fw1"
  std::string absolute_name;  ///< "sub/fw1"
  std::vector<Data> sources;  ///< templates of "from", in order
  bool train = false;
  bool search = false;
  int behavior_version = 0;
  Value options;          ///< the layer's dict
  Dim batch_dim;          ///< the network's batch axis
  Dim loop_time;          ///< of a layer in the body of a loop: what the loop runs over; else undefined
  Dim beam;               ///< of a choice in a search: the batch axis of what it chooses; else undefined
  Value followed_choice;  ///< of a choice that goes on from another one of the same step: that one's dict
  bool second_of_two_choices = false;
  std::optional<int64_t> n_out;  ///< given, or found from the target (semantics section 1)
  std::vector<Data> targets;     ///< templates of "target", where given or implied
  std::map<std::string, Data>
      refs;  ///< templates of layers named in layer-valued options, by the name that refs() gave
};

/// One layer of a network: from options and source templates to an output template, then to graph. No numbers, no
/// network.
class Layer {
 public:
  virtual ~Layer() = default;

  /// Names of other layers in layer-valued options (scale of scaled_grad, initial_state, extra of hdf_dump, ...).
  virtual std::vector<std::string> refs() const { return {}; }
  /// The output's template; throws Error kConfig at the option that is wrong.
  virtual Data out_data(const LayerContext& context) = 0;
  /// Adds the layer's nodes and returns its output, whose dims are those of out_data.
  virtual Expr build(LayerBuilder& builder) = 0;
};

/// An entry of the registry: what `wende layers` prints and what the network constructs.
struct LayerClass {
  std::string name;  ///< "linear"
  std::vector<std::string> aliases;
  std::string doc;                    ///< one sentence
  std::vector<std::string> examples;  ///< Python dicts, each a whole layer on data [B,T,F|5], sparse "classes" (dim 3)
  std::function<std::unique_ptr<Layer>(const Value& options)> make;  ///< parses; throws with all mistakes of the dict
  std::function<std::vector<ArgsDoc::Field>()> fields;
};

/// All layer classes, by name; filled by static registration in the layers' files (linked as object files).
class LayerRegistry {
 public:
  static LayerRegistry& instance();
  void add(LayerClass entry);
  const LayerClass* find(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, LayerClass> classes_;
  std::map<std::string, std::string> aliases_;
};

/// Options that every layer has (seed 1 and 2). Layers see them through LayerBuilder; the network handles most.
struct GeneralArgs {
  Value klass, from, n_out, out_type, out_dim, out_shape, in_dim, loss, target, size_target, loss_scale, loss_opts,
      loss_only_on_non_search, trainable, L2, darc1, dropout, dropout_noise_shape, dropout_axis, dropout_on_forward,
      spatial_smoothing, register_as_extern_data, reuse_params, name_scope, param_device, param_variational_noise,
      param_dropout, param_dropout_min_ndim, updater_opts, is_output_layer, only_on_eval, only_on_search,
      copy_output_loss_from_source_idx, batch_norm, initial_output, state, initial_state, need_last, rec_previous_layer,
      encapsulate, collocate_with, custom_param_importer, control_dependencies_on_output, debug_print_layer_output;

  template <class V>
  void fields(V& v) {
    v.field("class", klass, "layer class");
    v.field("from", from, "input layers or data keys");
    v.field("n_out", n_out, "output feature dimension");
    v.field("out_type", out_type, "output template in detail: dict of Data arguments");
    v.field("out_dim", out_dim, "output feature dim tag");
    v.field("out_shape", out_shape, "verifies the output dims");
    v.field("in_dim", in_dim, "which input axis acts as feature");
    v.field("loss", loss, "loss on the output");
    v.field("target", target, "target data key, or layer:NAME");
    v.field("size_target", size_target, "data key whose lengths the output takes");
    v.field("loss_scale", loss_scale, "factor of the loss in the objective");
    v.field("loss_opts", loss_opts, "options of the loss");
    v.field("loss_only_on_non_search", loss_only_on_non_search, "no loss during search");
    v.field("trainable", trainable, "False freezes the parameters");
    v.field("L2", L2, "adds L2 * sum(w^2) of all parameters to the objective");
    v.field("darc1", darc1, "adds the DARC1 regulariser (arXiv 1710.05468)");
    v.field("dropout", dropout, "drop rate on the input");
    v.field("dropout_noise_shape", dropout_noise_shape, "axes along which the dropout mask is shared");
    v.field("dropout_axis", dropout_axis, "axes along which the dropout mask varies");
    v.field("dropout_on_forward", dropout_on_forward, "dropout outside training as well");
    v.field("spatial_smoothing", spatial_smoothing, "adds the spatial smoothing energy of the output");
    v.field("register_as_extern_data", register_as_extern_data, "makes the output available as a data key");
    v.field("reuse_params", reuse_params, "layer whose parameters are shared");
    v.field("name_scope", name_scope, "name scope of the parameters");
    v.field("param_device", param_device, "accepted; parameters live with the rank's device");
    v.field("param_variational_noise", param_variational_noise, "stddev of noise on parameters in training");
    v.field("param_dropout", param_dropout, "drop rate on parameters in training");
    v.field("param_dropout_min_ndim", param_dropout_min_ndim, "smallest rank that param_dropout applies to");
    v.field("updater_opts", updater_opts, "optimiser options of this layer's parameters");
    v.field("is_output_layer", is_output_layer, "build this layer though nothing depends on it");
    v.field("only_on_eval", only_on_eval, "built for evaluation only; no gradient");
    v.field("only_on_search", only_on_search, "built for search only");
    v.field("copy_output_loss_from_source_idx", copy_output_loss_from_source_idx, "take the frame loss of a source");
    v.field("batch_norm", batch_norm, "batch normalisation after the layer");
    v.field("initial_output", initial_output, "prev: output of step 0 in a loop");
    v.field("state", state, "explicit recurrent state");
    v.field("initial_state", initial_state, "recurrent state before the first frame");
    v.field("need_last", need_last, "keep the last frame in a loop");
    v.field("rec_previous_layer", rec_previous_layer, "internal in RETURNN");
    v.field("encapsulate", encapsulate, "treat the subnetwork as one closed layer");
    v.field("collocate_with", collocate_with, "stay on the same side of a loop as these layers");
    v.field("custom_param_importer", custom_param_importer, "how parameters of other shapes are imported");
    v.field("control_dependencies_on_output", control_dependencies_on_output, "checks that run with the output");
    v.field("debug_print_layer_output", debug_print_layer_output, "print the output in each step");
  }
};

/// Static registration: `static const RegisterLayer<LinearLayer, LinearArgs> kRegister{"linear", {"hidden"}, "doc",
/// {examples}};` L is constructed from Args; Args has fields(visitor). General options are known to every layer.
template <class L, class Args>
struct RegisterLayer {
  RegisterLayer(std::string name, std::vector<std::string> aliases, std::string doc,
                std::vector<std::string> examples) {
    LayerClass entry{name, std::move(aliases), std::move(doc), std::move(examples), nullptr, nullptr};
    entry.make = [name](const Value& options) -> std::unique_ptr<Layer> {
      ArgsReader reader(options);
      GeneralArgs general;
      general.fields(reader);
      Args args;
      args.fields(reader);
      reader.finish("layer class '" + name + "'");
      return std::make_unique<L>(std::move(args));
    };
    entry.fields = [name] {
      ArgsDoc doc;
      Args args;
      args.fields(doc);
      for (ArgsDoc::Field& field : doc.fields) {
        if (const std::string type = own_option_type(name, field.name); !type.empty()) {
          field.type = type;
        }
      }
      return doc.fields;
    };
    LayerRegistry::instance().add(std::move(entry));
  }
};

}  // namespace wende

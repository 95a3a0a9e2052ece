#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "layers/loss.h"
#include "ops/reduce.h"

namespace wende {

/// Options that every loss has; the args struct of a loss derives from it and calls general_fields first.
struct GeneralLossArgs {
  double scale = 1.0;
  bool use_normalized_loss = false;
  Value custom_norm_factor, custom_inv_norm_factor, use_flatten_frames;

  template <class V>
  void general_fields(V& v) {
    v.field("scale", scale, "factor of the loss in the objective");
    v.field("use_normalized_loss", use_normalized_loss, "mean over frames in the objective, not the sum");
    v.field("custom_norm_factor", custom_norm_factor, "number that the sum is multiplied by");
    v.field("custom_inv_norm_factor", custom_inv_norm_factor, "layer whose sum divides the loss");
    v.field("use_flatten_frames", use_flatten_frames, "accepted; the value is the same");
  }
};

/// Static registration, as RegisterLayer: L is constructed from Args.
template <class L, class Args>
struct RegisterLoss {
  RegisterLoss(std::string name, std::vector<std::string> aliases, std::string doc) {
    LossClass entry{name, std::move(aliases), std::move(doc), nullptr, nullptr};
    entry.make = [name](const Value& options) -> std::unique_ptr<Loss> {
      ArgsReader reader(options.is_none() ? Value::dict({}) : options);
      Args args;
      args.fields(reader);
      reader.finish("loss '" + name + "'");
      auto loss = std::make_unique<L>(args);
      loss->scale = args.scale;
      loss->use_normalized_loss = args.use_normalized_loss;
      loss->custom_norm_factor = args.custom_norm_factor;
      loss->custom_inv_norm_factor = args.custom_inv_norm_factor;
      return loss;
    };
    entry.fields = [] {
      ArgsDoc doc;
      Args args;
      args.fields(doc);
      return doc.fields;
    };
    LossRegistry::instance().add(std::move(entry));
  }
};

/// Throws "expected output dim is 5 but the output has dim 7" unless output and target have one feature size.
void check_feature_sizes(const Data& output, const Data& target);

/// Sum of per-frame values over the valid frames: frame_values [B,T] or [T,B] (or more axes, with mask for all).
Expr sum_frames(const LossContext& context, Expr frame_values);

/// Scores before the softmax where the layer has one (or before exp), else log max(p, 1e-20); feature axis last.
Expr scores_of(const LossContext& context);

/// The target as int32 [B,U].
Expr labels_batch_major(const LossContext& context);

using ops::sum_all;

/// The target in the output's layout: dense targets with all its axes, sparse ones without its feature axis.
Expr aligned_target(const LossContext& context);

/// The output's axes without its feature axis.
Data frame_layout(const Data& output);

/// Number of valid frames where the argmax of `scores` differs from the target (dense: from its argmax).
Expr frame_error(const LossContext& context, const LayerOutput& scores);
/// By the scores before a softmax, else by the output. After the option batch_norm they need not agree.
Expr frame_error(const LossContext& context);

}  // namespace wende

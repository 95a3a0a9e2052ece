#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "layers/axis_order.h"
#include "layers/loss_args.h"
#include "ops/candidate_sampler.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/sequence.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

using Kind = CandidateDistribution::Kind;

struct SamplingArgs : GeneralLossArgs {
  int64_t num_sampled = 128;
  int64_t num_splits = 1;
  std::string sampler = "log_uniform";
  bool nce_loss = false;
  bool use_full_softmax = false;
  Value remove_accidental_hits, sampler_args;
  double nce_log_norm_term = 0.0;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("num_sampled", num_sampled, "classes drawn per batch (or part of it)");
    v.field("num_splits", num_splits, "parts of the batch, each with classes of its own");
    v.field("sampler", sampler, "\"uniform\", \"log_uniform\", \"learned_unigram\" or \"fixed_unigram\"");
    v.field("nce_loss", nce_loss, "noise contrastive estimation instead of sampled softmax");
    v.field("use_full_softmax", use_full_softmax, "no sampling: cross entropy");
    v.field("remove_accidental_hits", remove_accidental_hits, "drawn classes that are the label do not count");
    v.field("sampler_args", sampler_args, "dict of further options of the sampler");
    v.field("nce_log_norm_term", nce_log_norm_term, "subtracted from the logits of nce_loss");
  }
};

/// sampler_args: those of TensorFlow's functions.
struct SamplerArgs {
  std::string vocab_file;
  double distortion = 1.0;
  int64_t num_reserved_ids = 0;
  int64_t num_shards = 1;
  int64_t shard = 0;
  std::vector<double> unigrams;
  Value seed;

  template <class V>
  void fields(V& v, bool fixed_unigram) {
    v.field("seed", seed, "no effect: numbers are keyed by random_seed and step");
    if (!fixed_unigram) return;
    v.field("vocab_file", vocab_file, "lines whose last word, after a comma, is a class's count");
    v.field("distortion", distortion, "power of the counts");
    v.field("num_reserved_ids", num_reserved_ids, "first classes, which are never drawn");
    v.field("num_shards", num_shards, "must be 1");
    v.field("shard", shard, "must be 0");
    v.field("unigrams", unigrams, "counts of the classes");
  }
};

std::vector<double> read_counts(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(ExitStatus::kMissingInput, fmt::format("cannot read vocab_file '{}'", path));
  std::vector<double> counts;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    const size_t comma = line.rfind(',');
    try {
      counts.push_back(std::stod(comma == std::string::npos ? line : line.substr(comma + 1)));
    } catch (const std::exception&) {
      throw Error(ExitStatus::kMalformedInput, fmt::format("vocab_file '{}': no count in '{}'", path, line));
    }
  }
  return counts;
}

/// Sampled softmax or noise contrastive estimation over the classes of a linear layer whose W is [classes,dim].
class SamplingLoss : public Loss {
 public:
  explicit SamplingLoss(SamplingArgs args) : args_(std::move(args)) {
    if (args_.num_sampled < 1) throw Error(ExitStatus::kConfig, "num_sampled must be at least 1");
    if (args_.num_splits < 1) throw Error(ExitStatus::kConfig, "num_splits must be at least 1");
    const std::vector<std::string> names{"uniform", "log_uniform", "fixed_unigram", "learned_unigram"};
    const auto found = std::find(names.begin(), names.end(), args_.sampler);
    if (found == names.end()) {
      throw Error(ExitStatus::kConfig, fmt::format("unknown sampler '{}'", args_.sampler))
          .hint(did_you_mean(args_.sampler, names));
    }
    kind_ = static_cast<Kind>(found - names.begin());
    ArgsReader reader(args_.sampler_args.is_none() ? Value::dict({}) : args_.sampler_args);
    sampler_args_.fields(reader, kind_ == Kind::kFixedUnigram);
    reader.finish(fmt::format("sampler_args of sampler '{}'", args_.sampler));
    if (sampler_args_.num_shards != 1 || sampler_args_.shard != 0) {
      throw Error(ExitStatus::kConfig, "sampler_args: only num_shards 1 and shard 0 are supported");
    }
    remove_hits_ = args_.remove_accidental_hits.is_none() ? !args_.nce_loss : args_.remove_accidental_hits.as_bool();
  }

  bool needs_layer_input() const override { return !args_.use_full_softmax; }

  void check(const Data& output, const Data& target) const override {
    check_feature_sizes(output, target);
    if (!target.sparse()) throw Error(ExitStatus::kConfig, "sampling_loss needs a sparse target, got " + target.str());
    if (!args_.use_full_softmax && args_.num_sampled > target.sparse_dim.size()) {
      throw Error(ExitStatus::kConfig, fmt::format("num_sampled {} is more than the {} classes", args_.num_sampled,
                                                   target.sparse_dim.size()));
    }
  }

  LossValue build(const LossContext& context) const override {
    if (args_.use_full_softmax) return full_softmax(context);
    const int64_t classes = context.target.data.sparse_dim.size();
    const auto w = context.params.find("W");
    const auto b = context.params.find("b");
    if (w == context.params.end() || b == context.params.end() || w->second.dim(0).size() != classes) {
      throw Error(ExitStatus::kConfig, "sampling_loss needs a linear layer with bias whose W is [classes,dim]")
          .hint("set use_transposed_weights of the layer");
    }
    const Expr labels = flat(context, ops::cast(aligned_target(context), DType::kInt32));
    const Expr inputs =
        flat(context, permute_if_needed(context.layer_input.expr, feature_last(context.layer_input.data)));
    Expr value;
    const auto sampler = make_sampler(classes);
    for (int64_t split = 0; split < args_.num_splits; ++split) {
      const uint32_t key = context.random_key + static_cast<uint32_t>(split) * 0x9E3779B9u;
      const ops::Candidates candidates = ops::sample_candidates(labels, sampler, args_.num_sampled, key);
      Expr rows = row_losses(inputs, labels, w->second, b->second, candidates);
      if (args_.num_splits > 1) rows = of_split(rows, split);
      value = value.defined() ? ops::add(value, sum_all(rows)) : sum_all(rows);
    }
    return {value, frame_error(context)};
  }

 private:
  static std::vector<int> feature_last(const Data& data) { return order_with_last(data.rank(), data.feature_axis); }

  static Expr flat(const LossContext& context, Expr x) {
    const Data& data = context.output.data;
    return context.frame_mask.defined() ? ops::pack(x, data.batch_axis(), data.time_axis) : x;
  }

  LossValue full_softmax(const LossContext& context) const {
    if (context.activation_of_logits != "softmax") {
      throw Error(ExitStatus::kConfig, "use_full_softmax needs a layer with softmax activation");
    }
    const Expr scores = permute_if_needed(context.logits.expr, feature_last(context.output.data));
    const Expr labels = ops::cast(aligned_target(context), DType::kInt32);
    const bool fits = context.frame_mask.defined() && context.frame_mask.rank() == labels.rank();
    const Expr frames = ops::softmax_cross_entropy(scores, labels, fits ? context.frame_mask : Expr{});
    return {sum_frames(context, frames), frame_error(context)};
  }

  std::shared_ptr<const cpu::CandidateSampler> make_sampler(int64_t classes) const {
    std::vector<double> weights;
    if (kind_ == Kind::kFixedUnigram) {
      std::vector<double> counts = sampler_args_.unigrams;
      if (!sampler_args_.vocab_file.empty()) counts = read_counts(sampler_args_.vocab_file);
      weights.assign(static_cast<size_t>(sampler_args_.num_reserved_ids), 0.0);
      for (const double count : counts) weights.push_back(std::pow(count, sampler_args_.distortion));
      if (static_cast<int64_t>(weights.size()) != classes) {
        throw Error(ExitStatus::kConfig,
                    fmt::format("fixed_unigram has {} weights for {} classes", weights.size(), classes))
            .hint("give sampler_args {\"unigrams\": [...]} or a vocab_file");
      }
      const auto drawable = std::count_if(weights.begin(), weights.end(), [](double weight) { return weight > 0; });
      if (drawable < args_.num_sampled) {
        throw Error(ExitStatus::kConfig,
                    fmt::format("num_sampled {}, but only {} classes have a count", args_.num_sampled, drawable));
      }
    }
    return std::make_shared<const cpu::CandidateSampler>(kind_, classes, std::move(weights));
  }

  /// Per row of inputs [N,D]: the loss over the label's class and the candidates.
  Expr row_losses(Expr inputs, Expr labels, Expr w, Expr b, const ops::Candidates& candidates) const {
    Graph& graph = *inputs.graph;
    const auto log = [](Expr x) { return ops::unary(ops::Unary::kLog, x); };
    const Expr products = ops::mul(inputs, ops::look_up(w, labels));
    Expr truth = ops::add(ops::reduce(ops::Reduction::kSum, products, {1}), ops::look_up(b, labels));
    truth = ops::expand_dims(ops::sub(truth, log(candidates.expected_true)), 1);
    Expr others = ops::linear(inputs, ops::look_up(w, candidates.classes), ops::look_up(b, candidates.classes), true);
    if (remove_hits_) {
      const Expr hits =
          ops::binary(ops::Binary::kEqual, ops::expand_dims(labels, 1), ops::expand_dims(candidates.classes, 0));
      others = ops::where(hits, ops::constant(graph, -3.4e38), others);
    }
    others = ops::sub(others, ops::expand_dims(log(candidates.expected_classes), 0));
    if (args_.nce_loss) {
      const auto log_sigmoid = [&](Expr x, double sign) {
        return ops::unary(ops::Unary::kLogSigmoid, ops::scale(ops::add_scalar(x, -args_.nce_log_norm_term), sign));
      };
      const Expr noise = ops::reduce(ops::Reduction::kSum, log_sigmoid(others, -1.0), {1});
      return ops::scale(ops::add(ops::squeeze(log_sigmoid(truth, 1.0), 1), noise), -1.0);
    }
    const Expr logits = ops::concat({truth, others}, 1, Dim::fixed(args_.num_sampled + 1));
    const Expr first = ops::constant(graph, 0.0, DType::kInt32, {inputs.dim(0)});
    return ops::softmax_cross_entropy(logits, first);
  }

  /// Rows of other parts of the batch give 0: part k has rows [k N/K, (k+1) N/K), the last one all the rest.
  Expr of_split(Expr rows, int64_t split) const {
    Graph& graph = *rows.graph;
    const auto number = [&](int64_t n) { return ops::int_constant(graph, n); };
    const Expr count = sum_all(ops::constant(graph, 1.0, DType::kInt32, {rows.dim(0)}));
    const Expr part = ops::binary(ops::Binary::kFloorDiv, count, number(args_.num_splits));
    const Expr index = ops::range(graph, rows.dim(0));
    Expr own = ops::binary(ops::Binary::kGreaterEqual, index, ops::mul(part, number(split)));
    if (split + 1 < args_.num_splits) {
      const Expr before_end = ops::binary(ops::Binary::kLess, index, ops::mul(part, number(split + 1)));
      own = ops::binary(ops::Binary::kLogicalAnd, own, before_end);
    }
    return ops::where(own, rows, ops::constant(graph, 0.0));
  }

  SamplingArgs args_;
  SamplerArgs sampler_args_;
  Kind kind_ = Kind::kLogUniform;
  bool remove_hits_ = true;
};

const RegisterLoss<SamplingLoss, SamplingArgs> kRegister{
    "sampling_loss", {}, "Sampled softmax or noise contrastive estimation."};

}  // namespace
}  // namespace wende

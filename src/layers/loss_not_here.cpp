/// Losses of RETURNN that need what Wende does not have: they are known, so that their names are not called unknown.
#include "layers/loss_args.h"

namespace wende {
namespace {

struct AnyArgs : GeneralLossArgs {
  Value sprint_opts, tdp_scale;
  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("sprint_opts", sprint_opts, "options of the external program");
    v.field("tdp_scale", tdp_scale, "scale of the transition penalties");
  }
};

class Refused : public Loss {
 public:
  bool needs_target() const override { return false; }
  void check(const Data&, const Data&) const override {}
  LossValue build(const LossContext&) const override { return {}; }
};

class NeedsSprint : public Refused {
 public:
  explicit NeedsSprint(const AnyArgs&) {
    throw Error(ExitStatus::kConfig,
                "this loss needs automata of RASR (Sprint), which Wende " WENDE_VERSION " does not run")
        .hint("\"ctc\" with use_native has the same topology as Sprint's CTC automata");
  }
};

struct SearchArgs : GeneralLossArgs {
  Value loss, loss_kind, norm_scores, norm_scores_stop_gradient, divide_beam_size, subtract_average_loss,
      loss_correction_grad_only;
  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("loss", loss, "the loss that is expected, a dict");
    v.field("loss_kind", loss_kind, "\"error\" or \"value\"");
    v.field("norm_scores", norm_scores, "the hypotheses' probabilities sum to 1");
    v.field("norm_scores_stop_gradient", norm_scores_stop_gradient, "no gradient through that sum");
    v.field("divide_beam_size", divide_beam_size, "the mean over the beam");
    v.field("subtract_average_loss", subtract_average_loss, "less the mean loss of the beam");
    v.field("loss_correction_grad_only", loss_correction_grad_only, "for the gradient only");
  }
};

class NeedsSearch : public Refused {
 public:
  explicit NeedsSearch(const SearchArgs&) {
    throw Error(ExitStatus::kConfig, "this loss needs a beam search, which Wende " WENDE_VERSION " does not have");
  }
};

const RegisterLoss<NeedsSprint, AnyArgs> kRegister{"fast_bw", {}, "Baum-Welch on RASR's automata; not supported."};
const RegisterLoss<NeedsSprint, AnyArgs> kRegisterSprint{"sprint", {}, "Loss of an external RASR; not supported."};
const RegisterLoss<NeedsSearch, SearchArgs> kRegisterExpected{
    "expected_loss", {}, "A loss weighted with the scores of a beam search; not supported."};
const RegisterLoss<NeedsSearch, SearchArgs> kRegisterScore{
    "search_score", {}, "The scores of a beam search; not supported."};

}  // namespace
}  // namespace wende

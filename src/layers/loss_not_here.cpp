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

const RegisterLoss<NeedsSprint, AnyArgs> kRegister{"fast_bw", {}, "Baum-Welch on RASR's automata; not supported."};
const RegisterLoss<NeedsSprint, AnyArgs> kRegisterSprint{"sprint", {}, "Loss of an external RASR; not supported."};

}  // namespace
}  // namespace wende

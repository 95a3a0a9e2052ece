#include "layers/loss_args.h"

namespace wende {
namespace {

struct AsIsArgs : GeneralLossArgs {
  bool as_error = false;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("as_error", as_error, "reports the sum as error; no loss");
  }
};

class AsIsLoss : public Loss {
 public:
  explicit AsIsLoss(AsIsArgs args) : args_(std::move(args)) {}

  bool needs_target() const override { return false; }
  void check(const Data& output, const Data&) const override {
    if (output.sparse()) {
      throw Error(ExitStatus::kConfig, "as_is needs a dense output, got " + output.str());
    }
  }
  LossValue build(const LossContext& context) const override {
    const Expr sum = sum_frames(context, context.output.expr);
    LossValue loss;
    (args_.as_error ? loss.error : loss.value) = sum;
    return loss;
  }

 private:
  AsIsArgs args_;
};

const RegisterLoss<AsIsLoss, AsIsArgs> kRegister{"as_is", {}, "The output itself is the loss, summed."};

}  // namespace
}  // namespace wende

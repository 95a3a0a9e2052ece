#include <gtest/gtest.h>

#include "network_of.h"

namespace wende {
namespace {

struct Case {
  const char* layer;     ///< the dict of "output"
  const char* expected;  ///< part of the error
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.layer; }

class LossError : public testing::TestWithParam<Case> {};

TEST_P(LossError, SaysWhatIsWrong) {
  const std::string error = build_error(std::string(R"(
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "dense": {"dim": 4}}
network = {"probs": {"class": "softmax", "n_out": 5, "from": "data"}, "output": )") +
                                        GetParam().layer + "}\n");
  EXPECT_NE(error.find(GetParam().expected), std::string::npos) << error;
  EXPECT_NE(error.find("test.config:3"), std::string::npos) << error;
}

#define SOFTMAX(more) R"({"class": "softmax", "from": "data", "target": "classes", )" more "}"
#define LINEAR(more) R"({"class": "linear", "activation": None, "n_out": 4, "from": "data", )" more "}"

INSTANTIATE_TEST_SUITE_P(
    Losses, LossError,
    testing::Values(
        Case{SOFTMAX(R"("loss": "cee")"), "did you mean 'ce'"},
        Case{SOFTMAX(R"("loss": "ce", "loss_opts": {"label_smooth": 0.1})"), "did you mean 'label_smoothing'"},
        Case{SOFTMAX(R"("loss": "ce", "loss_opts": {"input_type": "log_prob"})"), "\"prob\" or \"logits\""},
        Case{SOFTMAX(R"("loss": "ce", "loss_opts": {"safe_log_opts": {"epsilon": 1}})"), "safe_log_opts"},
        Case{SOFTMAX(R"("loss": "ce", "loss_scale": 2.0, "loss_opts": {"scale": 3.0})"), "differ"},
        Case{SOFTMAX(R"("loss_scale": 2.0)"), "has no loss"},
        Case{SOFTMAX(R"("loss": "ce", "loss_opts": {"custom_norm_factor": "x"})"), "custom_norm_factor"},
        Case{SOFTMAX(R"("loss": "ce", "loss_opts": {"custom_norm_factor": lambda **kw: None})"), "returns one"},
        Case{SOFTMAX(R"("loss": "ce", "loss_opts": {"custom_norm_factor": lambda output, **kw: output.placeholder})"),
             "must return one number"},
        Case{SOFTMAX(R"("loss": "ce", "loss_opts": {"custom_inv_norm_factor": "none_such"})"), "none_such"},
        Case{
            R"({"class": "softmax", "n_out": 4, "from": "data", "target": "dense", "loss": "ce", "loss_opts": {"label_smoothing": 0.1}})",
            "need a sparse target"},
        Case{LINEAR(R"("loss": "ce", "target": "classes")"), "expected output dim is 5 but the output has dim 4"},
        Case{LINEAR(R"("loss": "mse", "target": "classes")"), "expected output dim is 5 but the output has dim 4"},
        Case{R"({"class": "softmax", "from": "data", "target": "classes", "loss": "l1"})", "needs a dense target"},
        Case{LINEAR(R"("loss": "bin_ce", "target": "classes")"), "bin_ce needs a target with the axes of the output"},
        Case{
            R"({"class": "linear", "activation": None, "n_out": 3, "from": "data", "loss": "bin_ce", "target": "dense"})",
            "expected output dim is 4 but the output has dim 3"},
        Case{
            R"({"class": "linear", "activation": "log_softmax", "n_out": 5, "from": "data", "target": "classes", "loss": "generic_ce"})",
            "needs positive outputs"},
        Case{R"({"class": "softmax", "n_out": 5, "from": "data", "target": "classes", "loss": "ctc"})",
             "for the blank"},
        Case{LINEAR(R"("loss": "ctc", "target": "dense")"), "ctc needs a sparse target"},
        Case{
            R"({"class": "softmax", "from": "data", "target": "classes", "loss": "ctc", "loss_opts": {"use_native": True}})",
            "use_native needs beam_width 1"},
        Case{
            R"({"class": "softmax", "from": "data", "target": "classes", "loss": "ctc", "loss_opts": {"ctc_opts": {"blank": 1}}})",
            "ctc_opts of loss 'ctc'"},
        Case{SOFTMAX(R"("loss": "edit_distance")"), "needs an output of labels"},
        Case{SOFTMAX(R"("loss": "bleu")"), "bleu needs label sequences"},
        Case{LINEAR(R"("loss": "deep_clustering", "target": "dense")"), "needs embedding_dimension and nr_of_sources"},
        Case{
            LINEAR(
                R"("loss": "deep_clustering", "target": "dense", "loss_opts": {"embedding_dimension": 2, "nr_of_sources": 4})"),
            "expects an output dim of 2"},
        Case{LINEAR(R"("loss": "triplet_loss", "target": "classes", "loss_opts": {"margin": 1.0})"),
             "needs an output of 3 embeddings"},
        Case{SOFTMAX(R"("loss": "via_layer")"), "exactly one of error_signal_layer and align_layer"},
        Case{SOFTMAX(R"("loss": "via_layer", "loss_opts": {"align_layer": "probs"})"), "has no loss of its own"},
        Case{SOFTMAX(R"("loss": "sampling_loss", "loss_opts": {"num_sampled": 3})"), "use_transposed_weights"},
        Case{SOFTMAX(R"("loss": "sampling_loss", "loss_opts": {"sampler": "zipf"})"), "unknown sampler 'zipf'"},
        Case{SOFTMAX(R"("loss": "sampling_loss", "use_transposed_weights": True, "loss_opts": {"num_sampled": 9})"),
             "num_sampled 9 is more than the 5 classes"},
        Case{SOFTMAX(
                 R"("loss": "expected_loss", "loss_opts": {"loss": {"class": "edit_distance"}, "loss_kind": "error"})"),
             "edit_distance needs an output of labels"},
        Case{SOFTMAX(R"("loss": "search_score")"), "the hypotheses of a search"},
        Case{SOFTMAX(R"("loss": "sprint")"), "RASR"},
        Case{R"({"class": "fast_bw", "align_target": "sprint", "from": "probs", "is_output_layer": True})",
             "align_target 'sprint' is not supported"},
        Case{R"({"class": "fast_bw", "align_target": "ctc", "align_target_key": "classes", "from": "probs"})",
             "needs one class more than the 5 labels"},
        Case{R"({"class": "eval", "eval": "source(0) + 1", "eval_for_output_loss": True, "from": "probs"})",
             "eval_for_output_loss is not supported"}));

}  // namespace
}  // namespace wende

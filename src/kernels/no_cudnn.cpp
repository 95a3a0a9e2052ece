#include "base/error.h"
#include "kernels/rnn_layer.h"
#include "kernels/rnn_library.h"

namespace wende::cuda {
namespace {

[[noreturn]] void absent() { throw internal_error("this build has no cuDNN"); }

}  // namespace

class RnnLayer::Impl {};

bool has_rnn_library() { return false; }
std::string rnn_library_text() { return {}; }
RnnLayer::RnnLayer(const RnnForm&) { absent(); }
RnnLayer::~RnnLayer() = default;
void RnnLayer::forward(const RnnForward&, const cpu::Scratch&) { absent(); }
void RnnLayer::backward(const RnnBackward&, const cpu::Scratch&) { absent(); }
size_t RnnLayer::kept_bytes(int64_t, int64_t, int64_t, int64_t) { absent(); }
bool RnnLayer::knows_kept_bytes() { return false; }
bool RnnLayer::runs_beside(const std::vector<int32_t>&, int64_t) { return false; }
void run_rnn_layers(const std::function<void()>&, const std::function<void()>&) { absent(); }

}  // namespace wende::cuda

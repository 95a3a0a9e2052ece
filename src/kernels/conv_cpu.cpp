#include <dnnl.hpp>
#include <map>
#include <vector>

#include "base/error.h"
#include "kernels/conv.h"
#include "kernels/depthwise_conv.h"
#include "kernels/pointwise.h"

namespace wende::cpu {
namespace {

using dnnl::memory;

enum class Pass : int64_t { kForward, kInput, kFilter };

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// The sizes of one convolution in oneDNN's order: [batch, channels, spatial...].
struct Problem {
  memory::dims x, y, w, strides, dilations, left, right;
  int64_t groups;

  Problem(const Tensor& x_tensor, const Tensor& w_tensor, const Tensor& y_tensor, const ConvGeometry& geometry)
      : groups(geometry.groups) {
    const int rank = geometry.rank;
    x = {x_tensor.dim(0), x_tensor.dim(-1)};
    y = {y_tensor.dim(0), y_tensor.dim(-1)};
    w = {groups, y_tensor.dim(-1) / groups, x_tensor.dim(-1) / groups};
    for (int i = 0; i < rank; ++i) {
      const auto at = static_cast<size_t>(i);
      const int64_t reach = (w_tensor.dim(i) - 1) * geometry.dilations[at] + 1;
      x.push_back(x_tensor.dim(i + 1));
      y.push_back(y_tensor.dim(i + 1));
      w.push_back(w_tensor.dim(i));
      strides.push_back(geometry.strides[at]);
      dilations.push_back(geometry.dilations[at] - 1);
      left.push_back(geometry.left[at]);
      right.push_back((y_tensor.dim(i + 1) - 1) * geometry.strides[at] + reach - x_tensor.dim(i + 1) -
                      geometry.left[at]);
    }
    if (groups == 1) w.erase(w.begin());
  }

  bool empty() const {
    for (const memory::dims* dims : {&x, &y, &w}) {
      for (const int64_t size : *dims) {
        if (size == 0) return true;
      }
    }
    return false;
  }

  /// Channels last, as all tensors here.
  static memory::desc data_desc(const memory::dims& dims) {
    memory::dims strides(dims.size(), 1);
    int64_t stride = dims[1];
    for (size_t i = dims.size() - 1; i >= 2; --i) {
      strides[i] = stride;
      stride *= dims[i];
    }
    strides[0] = stride;
    return {dims, memory::data_type::f32, strides};
  }

  /// [K...,C/groups,N] with N = (groups, N/groups).
  memory::desc filter_desc() const {
    const size_t first = groups == 1 ? 0 : 1;
    memory::dims strides(w.size(), 1);
    const int64_t outputs = y[1];
    if (first == 1) strides[0] = outputs / groups;
    strides[first] = 1;
    strides[first + 1] = outputs;
    int64_t stride = outputs * w[first + 1];
    for (size_t i = w.size() - 1; i >= first + 2; --i) {
      strides[i] = stride;
      stride *= w[i];
    }
    return {w, memory::data_type::f32, strides};
  }

  std::vector<int64_t> key(Pass pass) const {
    std::vector<int64_t> key{static_cast<int64_t>(pass), groups};
    for (const memory::dims* dims : {&x, &y, &w, &strides, &dilations, &left}) {
      key.insert(key.end(), dims->begin(), dims->end());
    }
    return key;
  }
};

/// A compiled convolution and the layout that it wants the filter in.
struct Compiled {
  dnnl::primitive primitive;
  memory::desc filter;
};

Compiled compile(const Problem& p, Pass pass) {
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const memory::desc x = Problem::data_desc(p.x);
  const memory::desc y = Problem::data_desc(p.y);
  const memory::desc any(p.w, memory::data_type::f32, memory::format_tag::any);
  const dnnl::convolution_forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, algorithm, x, any, y, p.strides, p.dilations, p.left, p.right}, cpu_engine());
  if (pass == Pass::kForward) return {dnnl::convolution_forward(forward), forward.weights_desc()};
  if (pass == Pass::kInput) {
    const dnnl::convolution_backward_data::primitive_desc backward(
        {algorithm, x, any, y, p.strides, p.dilations, p.left, p.right}, cpu_engine(), forward);
    return {dnnl::convolution_backward_data(backward), backward.weights_desc()};
  }
  const dnnl::convolution_backward_weights::primitive_desc backward(
      {algorithm, x, any, y, p.strides, p.dilations, p.left, p.right}, cpu_engine(), forward);
  return {dnnl::convolution_backward_weights(backward), backward.diff_weights_desc()};
}

/// Compiling takes longer than a small convolution: results are kept while a few hundred sizes of batches go by.
const Compiled& compiled(const Problem& problem, Pass pass) {
  constexpr size_t kMost = 256;
  thread_local std::map<std::vector<int64_t>, Compiled> cache;
  if (cache.size() > kMost) cache.clear();
  const std::vector<int64_t> key = problem.key(pass);
  auto found = cache.find(key);
  if (found == cache.end()) found = cache.emplace(key, compile(problem, pass)).first;
  return found->second;
}

memory wrap(const memory::desc& desc, const Tensor& tensor) { return {desc, cpu_engine(), tensor.data<float>()}; }

void run(Pass pass, const Tensor& x, const Tensor& w, const Tensor& y, const ConvGeometry& geometry) {
  const Problem problem(x, w, y, geometry);
  const Tensor& result = pass == Pass::kForward ? y : pass == Pass::kInput ? x : w;
  if (problem.empty()) return fill(result, 0.0);
  try {
    const Compiled& op = compiled(problem, pass);
    dnnl::stream stream(cpu_engine());
    memory own_filter = wrap(problem.filter_desc(), w);
    const bool moves = op.filter != problem.filter_desc();
    memory filter = moves ? memory(op.filter, cpu_engine()) : own_filter;
    const memory xs = wrap(Problem::data_desc(problem.x), x);
    const memory ys = wrap(Problem::data_desc(problem.y), y);
    if (pass == Pass::kFilter) {
      op.primitive.execute(stream, {{DNNL_ARG_SRC, xs}, {DNNL_ARG_DIFF_DST, ys}, {DNNL_ARG_DIFF_WEIGHTS, filter}});
      if (moves) dnnl::reorder(filter, own_filter).execute(stream, filter, own_filter);
    } else {
      if (moves) dnnl::reorder(own_filter, filter).execute(stream, own_filter, filter);
      if (pass == Pass::kForward) {
        op.primitive.execute(stream, {{DNNL_ARG_SRC, xs}, {DNNL_ARG_WEIGHTS, filter}, {DNNL_ARG_DST, ys}});
      } else {
        op.primitive.execute(stream, {{DNNL_ARG_DIFF_SRC, xs}, {DNNL_ARG_WEIGHTS, filter}, {DNNL_ARG_DIFF_DST, ys}});
      }
    }
    stream.wait();
  } catch (const dnnl::error& error) {
    throw internal_error("conv: oneDNN says " + std::string(error.what()) + " for " + x.shape().str() + " * " +
                         w.shape().str() + " -> " + y.shape().str());
  }
}

}  // namespace

void conv(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y) {
  if (is_depthwise(x, w, y, geometry)) return depthwise_conv(x, w, geometry, y);
  run(Pass::kForward, x, w, y, geometry);
}
void conv_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) {
  if (is_depthwise(dx, w, dy, geometry)) return depthwise_conv_input_grad(dy, w, geometry, dx);
  run(Pass::kInput, dx, w, dy, geometry);
}
void conv_filter_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw) {
  if (is_depthwise(x, dw, dy, geometry)) return depthwise_conv_filter_grad(x, dy, geometry, dw);
  run(Pass::kFilter, x, dw, dy, geometry);
}

}  // namespace wende::cpu

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "graph/executor.h"
#include "graph/gradients.h"
#include "layers/layer.h"
#include "network_of.h"
#include "ops/finite_difference.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/sequence.h"
#include "ops/shape.h"

namespace wende {
namespace {

constexpr int64_t kBatch = 3;
constexpr int64_t kTime = 4;

struct Case {
  std::string layer;
  std::string example;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.example; }

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const std::string& name : LayerRegistry::instance().names()) {
    for (const std::string& example : LayerRegistry::instance().find(name)->examples) {
      cases.push_back({name, example});
    }
  }
  return cases;
}

/// Numbers in (-1, 1) without pattern.
std::vector<float> spread(int64_t count, double start) {
  std::vector<float> values(static_cast<size_t>(count));
  double x = start;
  for (float& value : values) {
    x = std::fmod(x + 0.61803398875, 1.0);
    value = static_cast<float>(2 * x - 1);
  }
  return values;
}

/// A batch of 3 sequences with 4, 2 and 3 frames, and the network's parameters.
class Fixture {
 public:
  explicit Fixture(const std::string& example)
      : network_(network_of(R"(
extern_data = {"data": {"dim": 5}, "classes": {"dim": 3, "sparse": True},
               "att": {"shape": (None, None, 1), "dim": 1, "batch_dim_axis": 2, "time_dim_axis": 0}}
network = {"lstm": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"},
           "lengths": {"class": "length", "from": "data"},
           "probs": {"class": "softmax", "n_out": 4, "target": "classes", "from": "data"},
           "output": {"class": "copy", "from": "tested"}, "tested": )" +
                            example + "}\n")) {
    const auto& keys = network_->extern_data().keys;
    binding_.bind(keys.at("data").dims[0], kBatch);
    binding_.bind_lengths(keys.at("data").dims[1], {4, 2, 3});
    binding_.bind_lengths(keys.at("classes").dims[1], {4, 2, 3});
    binding_.bind_lengths(keys.at("att").dims[0], {2, 1, 2});
    binding_.bind_lengths(keys.at("att").dims[1], {3, 3, 1});
    tensors_["data:att"] = Tensor::of<float>(spread(2 * 3 * kBatch, 0.6), {2, 3, kBatch, 1});
    tensors_["data:data"] = Tensor::of<float>(spread(kBatch * kTime * 5, 0.3), {kBatch, kTime, 5});
    tensors_["data:classes"] = Tensor::of<int32_t>({0, 1, 2, 1, 2, 2, 0, 0, 1, 0, 2, 0}, {kBatch, kTime});
    for (const ParamSpec& spec : network_->params()) {
      tensors_[spec.name] = Tensor::zeros(spec.dtype, spec.shape);
      spec.init(tensors_[spec.name], 1);
    }
  }

  const LayerOutput& output() const { return network_->find_layer("tested")->output; }
  Graph& graph() const { return network_->graph(); }
  const Binding& binding() const { return found_; }
  std::map<std::string, Tensor>& tensors() { return tensors_; }
  const Network& network() const { return *network_; }

  std::vector<Tensor> run(const std::vector<Expr>& exprs, Device device = Device::cpu()) {
    std::vector<Fetch> fetches;
    for (const Expr& expr : exprs) {
      fetches.push_back({expr, Tensor()});
    }
    Executor executor(graph(), fetches, device);
    for (const std::string& name : executor.leaf_names()) {
      executor.bind(name, tensors_.at(name));
    }
    std::vector<Tensor> values = executor.run(binding_);
    found_ = executor.binding();
    for (Tensor& value : values) {
      value = value.clone();
    }
    return values;
  }

  /// Sum of y + y^2 over the valid elements of the output.
  Expr objective() {
    const Data& data = output().data;
    Expr y = output().expr;
    y = ops::add(y, ops::unary(ops::Unary::kSquare, y));
    for (const int axis : data.dynamic_axes()) {
      const int batch = data.batch_axis();
      if (batch < 0 || data.dims[static_cast<size_t>(batch)].op() != Dim::Op::kRoot) {
        continue;  // of a batch axis that a layer made, only the layer knows the lengths
      }
      Expr mask = ops::sequence_mask(graph(), data.dims[static_cast<size_t>(batch)],
                                     data.dims[static_cast<size_t>(axis)], axis < batch);
      for (int i = 0; i < data.rank(); ++i) {
        mask = i == axis || i == batch ? mask : ops::expand_dims(mask, i);
      }
      y = ops::where(mask, y, ops::constant(graph(), 0.0));
    }
    std::vector<int> axes;
    for (int i = 0; i < data.rank(); ++i) {
      axes.push_back(i);
    }
    return axes.empty() ? y : ops::reduce(ops::Reduction::kSum, y, axes);
  }

 private:
  std::unique_ptr<Network> network_;
  Binding binding_;
  Binding found_;  ///< of the last run, with sizes that it found out
  std::map<std::string, Tensor> tensors_;
};

class EveryLayer : public testing::TestWithParam<Case> {};

TEST_P(EveryLayer, HasTheShapeOfItsTemplate) {
  Fixture fixture(GetParam().example);
  const Data& data = fixture.output().data;
  const Tensor value = fixture.run({fixture.output().expr})[0];
  ASSERT_EQ(value.rank(), data.rank()) << data.str();
  EXPECT_EQ(value.dtype(), data.dtype) << data.str();
  for (int axis = 0; axis < data.rank(); ++axis) {
    EXPECT_EQ(value.dim(axis), fixture.binding().size(data.dims[static_cast<size_t>(axis)])) << data.str();
  }
}

/// Along one direction per tensor; padded input frames do not move.
TEST_P(EveryLayer, HasTheGradientOfItsValue) {
  static const std::set<std::string> kOtherGradient{"scaled_grad", "synthetic_gradient"};  // by purpose
  if (kOtherGradient.count(GetParam().layer) > 0) {
    GTEST_SKIP();
  }
  Fixture fixture(GetParam().example);
  if (fixture.output().data.dtype != DType::kFloat32) {
    GTEST_SKIP();
  }
  const Expr objective = fixture.objective();
  std::vector<std::string> names;
  std::vector<Expr> wrt;
  const Data& input = fixture.network().extern_data().keys.at("data");
  names.push_back("data:data");
  wrt.push_back(ops::input(fixture.graph(), "data:data", DType::kFloat32, input.dims));
  for (const ParamSpec& spec : fixture.network().params()) {
    if (spec.trainable && spec.dtype == DType::kFloat32) {
      names.push_back(spec.name);
      wrt.push_back(fixture.network().param_expr(spec.name));
    }
  }
  const std::vector<Expr> grads = gradients(objective, wrt);
  for (size_t i = 0; i < names.size(); ++i) {
    const Tensor at = fixture.tensors().at(names[i]).clone();
    const std::vector<float> x = at.to_vector<float>();
    std::vector<float> direction = spread(at.elements(), 0.1);
    for (size_t k = 0; k < x.size() && i == 0; ++k) {
      const size_t frame = k / 5 % kTime;
      const size_t lengths[] = {4, 2, 3};
      direction[k] = frame < lengths[k / 5 / kTime] ? direction[k] : 0.0F;
    }
    double expected = 0;
    double size = 0;
    if (grads[i].defined()) {
      const std::vector<float> g = fixture.run({grads[i]})[0].to_vector<float>();
      for (size_t k = 0; k < g.size(); ++k) {
        expected += static_cast<double>(g[k]) * direction[k];
        size += std::abs(static_cast<double>(g[k]) * direction[k]);
      }
    }
    const auto value_at = [&](double step) {
      std::vector<float> moved = x;
      for (size_t k = 0; k < x.size(); ++k) {
        moved[k] += static_cast<float>(step * direction[k]);
      }
      fixture.tensors()[names[i]] = Tensor::of<float>(moved, at.shape());
      return static_cast<double>(fixture.run({objective})[0].to_vector<float>()[0]);
    };
    const double h = 2e-3;
    const double found = (value_at(h) - value_at(-h)) / (2 * h);
    EXPECT_NEAR(found, expected, 0.01 * size + 0.02) << names[i] << " of " << GetParam().example;
    fixture.tensors()[names[i]] = at;
  }
}

/// Outputs and gradients of the kernels of the GPU beside those of the CPU (WENDE_TEST_DEVICE=gpu).
TEST_P(EveryLayer, IsTheSameOnTheDevice) {
  if (test::test_device().is_cpu()) {
    GTEST_SKIP() << "no device to compare with";
  }
  Fixture fixture(GetParam().example);
  std::vector<Expr> exprs{fixture.output().expr};
  std::vector<std::string> names{"output"};
  if (fixture.output().data.dtype == DType::kFloat32) {
    exprs.push_back(fixture.objective());
    names.emplace_back("objective");
    const Data& input = fixture.network().extern_data().keys.at("data");
    std::vector<std::string> leaves{"data:data"};
    std::vector<Expr> wrt{ops::input(fixture.graph(), "data:data", DType::kFloat32, input.dims)};
    for (const ParamSpec& spec : fixture.network().params()) {
      if (spec.trainable && spec.dtype == DType::kFloat32) {
        leaves.push_back(spec.name);
        wrt.push_back(fixture.network().param_expr(spec.name));
      }
    }
    const std::vector<Expr> grads = gradients(exprs[1], wrt);
    for (size_t i = 0; i < grads.size(); ++i) {
      if (grads[i].defined()) {
        exprs.push_back(grads[i]);
        names.push_back("gradient of " + leaves[i]);
      }
    }
  }
  const std::vector<Tensor> expected = fixture.run(exprs);
  const std::vector<Tensor> found = fixture.run(exprs, test::test_device());
  for (size_t i = 0; i < exprs.size(); ++i) {
    SCOPED_TRACE(names[i] + " of " + GetParam().example);
    ASSERT_EQ(found[i].shape(), expected[i].shape());
    if (expected[i].dtype() != DType::kFloat32) {
      ASSERT_EQ(found[i].dtype(), expected[i].dtype());
      EXPECT_EQ(std::memcmp(found[i].raw(), expected[i].raw(), expected[i].bytes()), 0);
      continue;
    }
    const std::vector<float> a = expected[i].to_vector<float>();
    const std::vector<float> b = found[i].to_vector<float>();
    for (size_t k = 0; k < a.size(); ++k) {
      ASSERT_TRUE(std::abs(a[k] - b[k]) <= 1e-5F + 1e-4F * std::abs(a[k]) || a[k] == b[k] ||
                  (std::isnan(a[k]) && std::isnan(b[k])))
          << "element " << k << ": " << a[k] << " on the CPU, " << b[k] << " on the device";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryLayer, testing::ValuesIn(all_cases()), [](const auto& info) {
  std::string name;
  for (const char c : info.param.layer) {
    name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  }
  return fmt::format("{}_{}", name, info.index);
});

}  // namespace
}  // namespace wende

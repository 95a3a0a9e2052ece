#pragma once

#include <cmath>
#include <optional>
#include <variant>

#include "device/host_device.h"

namespace wende {

/// One update of one weight w by its gradient g, with the numbers that the optimiser keeps: the loops of the CPU and
/// the kernel of the GPU call the same code. kSlots: how many such numbers.
struct DescentFormula {
  static constexpr int kSlots = 0;
  float rate;
  WENDE_HD void operator()(float& w, float g) const { w -= rate * g; }
};

struct MomentumFormula {
  static constexpr int kSlots = 1;
  float rate;
  float mu;
  bool nesterov;
  WENDE_HD void operator()(float& w, float g, float& a) const {
    a = mu * a + g;
    w -= rate * (nesterov ? g + mu * a : a);
  }
};

/// The learning rate is inside the kept number.
struct KerasMomentumFormula {
  static constexpr int kSlots = 1;
  float rate;
  float mu;
  bool nesterov;
  WENDE_HD void operator()(float& w, float g, float& m) const {
    const float change = rate * g;
    m = mu * m - change;
    w += nesterov ? mu * m - change : m;
  }
};

struct AdamFormula {
  static constexpr int kSlots = 2;
  float beta1;
  float beta2;
  float epsilon;
  float rate;
  float keep;  ///< 1 - decay of weights
  bool nesterov;
  WENDE_HD void operator()(float& w, float g, float& m, float& v) const {
    const float mean = beta1 * m + (1 - beta1) * g;
    const float square = beta2 * v + (1 - beta2) * g * g;
    m = mean;
    v = square;
    const float direction = nesterov ? beta1 * mean + (1 - beta1) * g : mean;
    w = keep * w - rate * direction / (std::sqrt(square) + epsilon);
  }
};

struct KerasNadamFormula {
  static constexpr int kSlots = 2;
  float beta1;
  float beta2;
  float of_gradient;
  float of_mean;
  float of_square;
  float rate;
  float epsilon;
  WENDE_HD void operator()(float& w, float g, float& m, float& v) const {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    w -= rate * (of_gradient * g + of_mean * m) / (std::sqrt(v * of_square) + epsilon);
  }
};

struct RmsPropFormula {
  static constexpr int kSlots = 2;
  float rate;
  float decay;
  float mu;
  float epsilon;
  WENDE_HD void operator()(float& w, float g, float& square, float& change) const {
    square = decay * square + (1 - decay) * g * g;
    change = mu * change + rate * g / std::sqrt(square + epsilon);
    w -= change;
  }
};

using UpdateFormula =
    std::variant<DescentFormula, MomentumFormula, KerasMomentumFormula, AdamFormula, KerasNadamFormula, RmsPropFormula>;

}  // namespace wende

#pragma once

#include <cmath>
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

/// The moments go on without a gradient, the weight stays.
struct MomentsFadeFormula {
  static constexpr int kSlots = 2;
  float beta1;
  float beta2;
  WENDE_HD void operator()(float&, float, float& m, float& v) const {
    m *= beta1;
    v *= beta2;
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

struct CenteredRmsPropFormula {
  static constexpr int kSlots = 3;
  float rate;
  float decay;
  float mu;
  float epsilon;
  WENDE_HD void operator()(float& w, float g, float& square, float& change, float& mean) const {
    square = decay * square + (1 - decay) * g * g;
    mean = decay * mean + (1 - decay) * g;
    const float variance = square - mean * mean;
    change = mu * change + rate * g / std::sqrt(variance + epsilon);
    w -= change;
  }
};

struct AdagradFormula {
  static constexpr int kSlots = 1;
  float rate;
  WENDE_HD void operator()(float& w, float g, float& sum) const {
    sum += g * g;
    w -= rate * g / std::sqrt(sum);
  }
};

struct AdadeltaFormula {
  static constexpr int kSlots = 2;
  float rate;
  float rho;
  float epsilon;
  WENDE_HD void operator()(float& w, float g, float& square, float& changes) const {
    square = rho * square + (1 - rho) * g * g;
    const float change = g * std::sqrt(changes + epsilon) / std::sqrt(square + epsilon);
    changes = rho * changes + (1 - rho) * change * change;
    w -= rate * change;
  }
};

struct AdamaxFormula {
  static constexpr int kSlots = 2;
  float rate;
  float beta1;
  float beta2;
  float epsilon;
  WENDE_HD void operator()(float& w, float g, float& m, float& v) const {
    m = beta1 * m + (1 - beta1) * g;
    const float kept = beta2 * v;
    const float size = std::fabs(g);
    v = kept < size ? size : kept;
    w -= rate * m / (v + epsilon);
  }
};

struct AmsgradFormula {
  static constexpr int kSlots = 3;
  float rate;
  float beta1;
  float beta2;
  float epsilon;
  WENDE_HD void operator()(float& w, float g, float& m, float& v, float& most) const {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    most = most < v ? v : most;
    const float root = epsilon + std::sqrt(most);
    w -= root > 0 ? rate * m / root : 0.0f;
  }
};

struct GradVarianceScaledFormula {
  static constexpr int kSlots = 2;
  float rate;
  float beta1;
  float beta2;
  float epsilon;
  WENDE_HD void operator()(float& w, float g, float& m, float& v) const {
    m = beta1 * m + (1 - beta1) * g;
    const float variance = (g - m) * (g - m);
    v = beta2 * v + (1 - beta2) * variance;
    const float share = v / (variance + epsilon);
    w -= rate * g * (1.0f < share ? 1.0f : share);
  }
};

/// argmin_w (w - x)^2 / 2 + rate (l1 |w| + l2 w^2 / 2).
struct Proximal {
  float l1;
  float l2;
  WENDE_HD float operator()(float x, float rate) const {
    const float room = std::fabs(x) - rate * l1;
    const float shrunk = l1 > 0 ? std::copysign(room < 0.0f ? 0.0f : room, x) : x;
    return shrunk / (1 + rate * l2);
  }
};

struct ProximalFormula {
  static constexpr int kSlots = 0;
  float rate;
  Proximal proximal;
  WENDE_HD void operator()(float& w, float g) const { w = proximal(w - rate * g, rate); }
};

struct ProximalAdagradFormula {
  static constexpr int kSlots = 1;
  float rate;
  Proximal proximal;
  WENDE_HD void operator()(float& w, float g, float& sum) const {
    sum += g * g;
    const float own_rate = rate / std::sqrt(sum);
    w = proximal(w - own_rate * g, own_rate);
  }
};

struct NeuralFormula {
  static constexpr int kSlots = 1;
  float rate;
  float beta;
  float decrease;
  WENDE_HD void operator()(float& w, float g, float& m) const {
    m = beta * m + (1 - beta) * g;
    const bool same_sign = (m > 0) - (m < 0) == (g > 0) - (g < 0);
    w -= rate * g * (same_sign ? 1.0f : decrease);
  }
};

struct FtrlFormula {
  static constexpr int kSlots = 2;
  float inverse;  ///< of the learning rate
  float l1;
  float l2;
  float shrinkage;
  float exponent;  ///< of the sum of squares
  WENDE_HD float power(float x) const { return exponent == 0.5f ? std::sqrt(x) : std::pow(x, exponent); }
  WENDE_HD void operator()(float& w, float g, float& sum, float& linear) const {
    const float next = sum + g * g;
    linear += g + shrinkage * w - (power(next) - power(sum)) * inverse * w;
    sum = next;
    const float z = linear;
    w = std::fabs(z) > l1 ? (std::copysign(l1, z) - z) / (power(next) * inverse + 2 * l2) : 0.0f;
  }
};

using UpdateFormula =
    std::variant<DescentFormula, MomentumFormula, KerasMomentumFormula, AdamFormula, KerasNadamFormula,
                 MomentsFadeFormula, RmsPropFormula, CenteredRmsPropFormula, AdagradFormula, AdadeltaFormula,
                 AdamaxFormula, AmsgradFormula, GradVarianceScaledFormula, ProximalFormula, ProximalAdagradFormula,
                 NeuralFormula, FtrlFormula>;

}  // namespace wende

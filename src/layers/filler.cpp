#include "layers/filler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace wende {

void Filler::constant(double value) {
  fill([&](uint64_t) { return value; });
}

void Filler::uniform(double low, double high) {
  const float begin = static_cast<float>(low);
  const double range = static_cast<float>(high) - begin;
  // Rounded after the product: no fused multiply-add.
  fill([&](uint64_t i) { return static_cast<float>(range * philox_.uniform(i)) + begin; });
}

void Filler::normal(double mean, double stddev) {
  fill([&](uint64_t i) { return mean + stddev * philox_.normal(i); });
}

/// Four elements have 256 blocks of their own, from which those within two standard deviations are taken in turn.
void Filler::truncated_normal(double mean, double stddev) {
  constexpr uint64_t kBlocks = 256;
  std::array<float, 4> group{};
  fill([&](uint64_t i) {
    if (i % 4 == 0) {
      size_t found = 0;
      for (uint64_t pair = 0; found < 4; ++pair) {
        const auto words = philox_.block(i / 4 * kBlocks + pair / 2);
        for (const float x : Philox::to_normal(words[pair % 2 * 2], words[pair % 2 * 2 + 1])) {
          if (std::abs(x) < 2.0f && found < 4) group[found++] = x;
        }
      }
    }
    return mean + stddev * group[i % 4];
  });
}

/// Gram-Schmidt (twice, for orthogonality in double) on the columns of a normal matrix [longer side, shorter side]: the
/// same as TensorFlow's Q of a QR decomposition whose R has a positive diagonal.
void Filler::orthogonal(double gain) {
  if (target_.rank() < 2) {
    throw Error(ExitStatus::kConfig,
                "the orthogonal initialiser needs a parameter of rank >= 2, got shape " + target_.shape().str());
  }
  const int64_t cols = target_.dim(-1);
  const int64_t rows = cols == 0 ? 0 : target_.elements() / cols;
  const int64_t count = std::min(rows, cols);
  const int64_t length = std::max(rows, cols);
  std::vector<std::vector<double>> basis(static_cast<size_t>(count), std::vector<double>(static_cast<size_t>(length)));
  for (size_t v = 0; v < basis.size(); ++v) {
    for (size_t i = 0; i < basis[v].size(); ++i) {
      basis[v][i] = philox_.normal(i * static_cast<uint64_t>(count) + v);
    }
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t u = 0; u < v; ++u) {
        double dot = 0;
        for (size_t i = 0; i < basis[v].size(); ++i) {
          dot += basis[u][i] * basis[v][i];
        }
        for (size_t i = 0; i < basis[v].size(); ++i) {
          basis[v][i] -= dot * basis[u][i];
        }
      }
    }
    double square = 0;
    for (const double x : basis[v]) {
      square += x * x;
    }
    for (double& x : basis[v]) {
      x /= std::sqrt(square);
    }
  }
  fill([&](uint64_t index) {
    const size_t row = static_cast<size_t>(index) / static_cast<size_t>(cols);
    const size_t col = static_cast<size_t>(index) % static_cast<size_t>(cols);
    return gain * (rows >= cols ? basis[col][row] : basis[row][col]);
  });
}

}  // namespace wende

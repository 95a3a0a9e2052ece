#include <algorithm>

#include "kernels/dropout.h"

namespace wende::cpu {

namespace {

constexpr int64_t kBlocks = 16;

/// Words of kBlocks neighbouring blocks in element order; the loops over blocks are vectorised.
void philox_words(const Philox& philox, uint64_t first_block, uint32_t* words) {
  uint32_t c0[kBlocks], c1[kBlocks], c2[kBlocks], c3[kBlocks];
  for (int64_t k = 0; k < kBlocks; ++k) {
    const uint64_t block = first_block + static_cast<uint64_t>(k);
    c0[k] = static_cast<uint32_t>(block);
    c1[k] = static_cast<uint32_t>(block >> 32);
    c2[k] = philox.stream0;
    c3[k] = philox.stream1;
  }
  uint32_t key0 = philox.key0;
  uint32_t key1 = philox.key1;
  for (int round = 0; round < 10; ++round) {
    for (int64_t k = 0; k < kBlocks; ++k) {
      const uint64_t p0 = uint64_t{0xD2511F53u} * c0[k];
      const uint64_t p1 = uint64_t{0xCD9E8D57u} * c2[k];
      c0[k] = static_cast<uint32_t>(p1 >> 32) ^ c1[k] ^ key0;
      c1[k] = static_cast<uint32_t>(p1);
      c2[k] = static_cast<uint32_t>(p0 >> 32) ^ c3[k] ^ key1;
      c3[k] = static_cast<uint32_t>(p0);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int64_t k = 0; k < kBlocks; ++k) {
    words[4 * k] = c0[k];
    words[4 * k + 1] = c1[k];
    words[4 * k + 2] = c2[k];
    words[4 * k + 3] = c3[k];
  }
}

template <class F>
void fill_uniform(const Philox& philox, const Tensor& out, F f) {
  constexpr int64_t kWords = 4 * kBlocks;
  uint32_t words[kWords];
  float* to = out.data<float>();
  const int64_t count = out.elements();
  for (int64_t i = 0; i < count; i += kWords) {
    philox_words(philox, static_cast<uint64_t>(i / 4), words);
    const int64_t width = std::min(kWords, count - i);
    for (int64_t k = 0; k < width; ++k) to[i + k] = f(Philox::to_uniform(words[k]));
  }
}

}  // namespace

void dropout_mask(const Philox& philox, double keep, const Tensor& out) {
  const auto threshold = static_cast<float>(keep);
  const auto value = static_cast<float>(1.0 / keep);
  fill_uniform(philox, out, [=](float u) { return u < threshold ? value : 0.0f; });
}

void random_uniform(const Philox& philox, double low, double high, const Tensor& out) {
  const auto offset = static_cast<float>(low);
  const auto range = static_cast<float>(high - low);
  fill_uniform(philox, out, [=](float u) { return offset + range * u; });
}

void random_normal(const Philox& philox, double stddev, const Tensor& out) {
  const auto scale = static_cast<float>(stddev);
  float* to = out.data<float>();
  for (int64_t i = 0; i < out.elements(); ++i) to[i] = scale * philox.normal(static_cast<uint64_t>(i));
}

}  // namespace wende::cpu

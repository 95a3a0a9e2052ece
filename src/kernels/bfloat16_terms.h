#pragma once

#include <immintrin.h>

#include <cstdint>

// A float32 as a sum of bfloat16, in the layouts of AMX's registers. For the files that are compiled for AMX.

namespace wende::cpu {

/// The nearest bfloat16, halves away from zero, in the upper halves of the words.
inline __m512i rounded_to_bfloat16(__m512 x) {
  const __m512i half = _mm512_set1_epi32(0x8000);
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000));
  return _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), half), upper);
}

/// 16 values as sums of bfloat16, which stand in the upper halves of the words. Each term is rounded; with three, the
/// last is what is left, exactly. Magnitudes above 3.39e38 are rounded to infinity.
template <int64_t kTerms>
struct Terms {
  __m512i term[kTerms];

  explicit Terms(__m512 x) {
#pragma GCC unroll 3
    for (int64_t t = 0; t < kTerms; ++t) {
      term[t] = rounded_to_bfloat16(x);
      x = _mm512_sub_ps(x, _mm512_castsi512_ps(term[t]));
    }
  }
};

inline __mmask16 mask_of(int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffff : count <= 0 ? 0 : (1u << count) - 1);
}

/// out[t]: term t of 32 values of a row, `count` of which are there.
template <int64_t kTerms>
inline void split_row(const float* from, int64_t count, __m512i out[kTerms]) {
  alignas(64) static constexpr uint16_t kUpperHalves[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21,
                                                            23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43,
                                                            45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
  const __m512i order = _mm512_load_si512(kUpperHalves);
  const Terms<kTerms> low(_mm512_maskz_loadu_ps(mask_of(count), from));
  const Terms<kTerms> high(_mm512_maskz_loadu_ps(mask_of(count - 16), from + 16));
#pragma GCC unroll 3
  for (int64_t t = 0; t < kTerms; ++t) out[t] = _mm512_permutex2var_epi16(low.term[t], order, high.term[t]);
}

/// out[t]: term t of 16 values each of two rows, in turns: what one row of the second factor's register holds.
template <int64_t kTerms>
inline void split_pair(__m512 even, __m512 odd, __m512i out[kTerms]) {
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000));
  // What is left for a third term has 8 bits: it needs no rounding.
  constexpr int64_t kRounded = kTerms == 3 ? 2 : kTerms;
  const auto joined = [&](__m512i of_even, __m512i of_odd) {
    return _mm512_ternarylogic_epi32(upper, of_odd, _mm512_srli_epi32(of_even, 16), 0xca);
  };
#pragma GCC unroll 3
  for (int64_t t = 0; t < kRounded; ++t) {
    const __m512i term_of_even = rounded_to_bfloat16(even);
    const __m512i term_of_odd = rounded_to_bfloat16(odd);
    out[t] = joined(term_of_even, term_of_odd);
    even = _mm512_sub_ps(even, _mm512_castsi512_ps(term_of_even));
    odd = _mm512_sub_ps(odd, _mm512_castsi512_ps(term_of_odd));
  }
  if constexpr (kTerms == 3) out[2] = joined(_mm512_castps_si512(even), _mm512_castps_si512(odd));
}

}  // namespace wende::cpu

// The most that FMAs do on this core: on registers alone, for the seconds given (default 0.3). Prints GFLOP/s.
#if defined(__AVX512F__) || defined(__FMA__)
#include <immintrin.h>
#endif
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace {

#if defined(__AVX512F__)
using Vector = __m512;
Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
constexpr int kSums = 24;
#elif defined(__FMA__)
using Vector = __m256;
Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
constexpr int kSums = 12;
#else
using Vector = float;
Vector fma(Vector a, Vector b, Vector c) { return a * b + c; }
constexpr int kSums = 12;
#endif

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// Runs `rounds` times kSums independent FMAs.
void run(int rounds) {
  Vector sums[kSums] = {};
  Vector a{}, b{};
  for (Vector& sum : sums) asm volatile("" : "+v"(sum));  // may differ, as far as the compiler knows
  for (int round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 24
    for (int i = 0; i < kSums; ++i) sums[i] = fma(a, b, sums[i]);
  }
  for (const Vector& sum : sums) asm volatile("" : : "v"(sum));
}

}  // namespace

int main(int argc, char** argv) {
  const double end = now() + (argc > 1 ? std::atof(argv[1]) : 0.3);
  constexpr int kRounds = 1'000'000;
  constexpr double kFlop = 2.0 * kRounds * kSums * sizeof(Vector) / sizeof(float);
  double best = 0;
  do {
    const double start = now();
    run(kRounds);
    best = std::max(best, kFlop / (now() - start));
  } while (now() < end);
  fmt::print("{:.0f}\n", best / 1e9);
  return 0;
}

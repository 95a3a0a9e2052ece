// cudasim: <cuda_runtime.h> for the CPU emulation build (plain g++ / clang++, never nvcc).
//
// The host API is NOT re-declared here: the real toolkit header comes in through #include_next, so every
// prototype, enum and struct is the one the real build sees; libcudasim only *defines* those functions.
// What this file adds is the device language: threadIdx & co, __shared__, barriers, warp intrinsics, atomics,
// fast-math intrinsics, and cudaLaunchKernelEx (the toolkit's own <<<>>>-free launch, nvcc-only in the header).
#pragma once
#if defined(__CUDACC__)
#error "the cudasim include directory must not be used with nvcc"
#endif
#define CUDASIM 1
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#pragma GCC system_header  // from here on names are NVIDIA's, not of the house style
#define cudaLaunchKernelEx \
  cudasim_hidden_cudaLaunchKernelEx  // the toolkit's template erases the kernel's type: replaced below
#include_next <cuda_runtime.h>
#undef cudaLaunchKernelEx
#include <device_launch_parameters.h>  // extern const threadIdx ... : defined by the emulator, set per fiber

#undef __shared__
#define __shared__ thread_local  // block-scope: static storage inside the TLS image = "the shared memory segment"
#undef __launch_bounds__
#define __launch_bounds__(...)

namespace cudasim {
// ---- calls into the emulator ------------------------------------------------------------------------------
enum class Barrier { sync, count, all, any };
enum class Warp { sync, shfl, ballot, add, min, max, match };
struct Site {
  const char* file;
  int line;
};                                                                              // where a barrier stands in the source
int block_barrier(Barrier kind, int pred, Site site);                           // __syncthreads family
std::uint64_t warp_op(Warp kind, unsigned mask, std::uint64_t value, int src);  // every *_sync intrinsic
int lane();
unsigned live_mask();
void fence();                                    // __threadfence*
void atomic_access(void* p, std::size_t bytes);  // checks the address and marks the shadow as "atomic"
struct Call {                                    // one captured launch: kernel and arguments, by value
  std::shared_ptr<void> data;
  std::size_t bytes;
  void (*invoke)(void*);
  const void* kernel;
};
cudaError_t launch(const cudaLaunchConfig_t& cfg, Call call);
}  // namespace cudasim

// ---- launch: the official C++ launch API, so `wende::launch` needs no #ifdef at all ------------------------
template <class... P, class... A>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* cfg, void (*kernel)(P...), A&&... args) {
  static_assert((std::is_trivially_copyable_v<std::remove_cv_t<P>> && ...), "kernel parameters are copied bytewise");
  static_assert((!std::is_reference_v<P> && ...), "kernel parameters cannot be references");
  struct Pack {
    void (*kernel)(P...);
    std::tuple<std::remove_cv_t<P>...> args;
  };
  auto pack = std::make_shared<Pack>(Pack{kernel, {static_cast<P>(std::forward<A>(args))...}});
  return cudasim::launch(*cfg, {pack, sizeof(Pack),
                                [](void* d) { std::apply(static_cast<Pack*>(d)->kernel, static_cast<Pack*>(d)->args); },
                                reinterpret_cast<const void*>(kernel)});
}
template <class... P>
cudaError_t cudaFuncSetAttribute(void (*k)(P...), cudaFuncAttribute a, int v) {
  return cudaFuncSetAttribute((const void*)k, a, v);
}

// ---- barriers and fences ----------------------------------------------------------------------------------
#define CUDASIM_INLINE inline __attribute__((always_inline))
#define CUDASIM_HERE const char *f = __builtin_FILE(), int l = __builtin_LINE()
CUDASIM_INLINE void __syncthreads(CUDASIM_HERE) { cudasim::block_barrier(cudasim::Barrier::sync, 0, {f, l}); }
CUDASIM_INLINE int __syncthreads_count(int p, CUDASIM_HERE) {
  return cudasim::block_barrier(cudasim::Barrier::count, p, {f, l});
}
CUDASIM_INLINE int __syncthreads_and(int p, CUDASIM_HERE) {
  return cudasim::block_barrier(cudasim::Barrier::all, p, {f, l});
}
CUDASIM_INLINE int __syncthreads_or(int p, CUDASIM_HERE) {
  return cudasim::block_barrier(cudasim::Barrier::any, p, {f, l});
}
CUDASIM_INLINE void __syncwarp(unsigned m = 0xffffffffu) { cudasim::warp_op(cudasim::Warp::sync, m, 0, 0); }
CUDASIM_INLINE void __threadfence() { cudasim::fence(); }
CUDASIM_INLINE void __threadfence_block() {}
CUDASIM_INLINE void __threadfence_system() { cudasim::fence(); }

// ---- warp intrinsics --------------------------------------------------------------------------------------
template <class T>
CUDASIM_INLINE T cudasim_shfl(unsigned m, T v, int src) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>, "shuffles move 4 or 8 bytes");
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &v, sizeof(T));
  bits = cudasim::warp_op(cudasim::Warp::shfl, m, bits, src);
  __builtin_memcpy(&v, &bits, sizeof(T));
  return v;
}
template <class T>
CUDASIM_INLINE T __shfl_sync(unsigned m, T v, int src, int w = 32) {
  return cudasim_shfl(m, v, (cudasim::lane() & ~(w - 1)) + (src & (w - 1)));
}
template <class T>
CUDASIM_INLINE T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32) {
  int l = cudasim::lane(), s = l - int(d);
  return cudasim_shfl(m, v, s < (l & ~(w - 1)) ? l : s);
}
template <class T>
CUDASIM_INLINE T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32) {
  int l = cudasim::lane(), s = l + int(d);
  return cudasim_shfl(m, v, s > (l | (w - 1)) ? l : s);
}
template <class T>
CUDASIM_INLINE T __shfl_xor_sync(unsigned m, T v, int x, int w = 32) {
  int l = cudasim::lane(), s = l ^ x;
  return cudasim_shfl(m, v, s > (l | (w - 1)) ? l : s);
}
CUDASIM_INLINE unsigned __ballot_sync(unsigned m, int p) {
  return unsigned(cudasim::warp_op(cudasim::Warp::ballot, m, p != 0, 0));
}
CUDASIM_INLINE int __any_sync(unsigned m, int p) { return __ballot_sync(m, p) != 0; }
CUDASIM_INLINE int __all_sync(unsigned m, int p) { return __ballot_sync(m, p) == m; }
CUDASIM_INLINE unsigned __match_any_sync(unsigned m, std::uint64_t v) {
  return unsigned(cudasim::warp_op(cudasim::Warp::match, m, v, 0));
}
CUDASIM_INLINE unsigned __reduce_add_sync(unsigned m, unsigned v) {
  return unsigned(cudasim::warp_op(cudasim::Warp::add, m, v, 0));
}
CUDASIM_INLINE unsigned __reduce_min_sync(unsigned m, unsigned v) {
  return unsigned(cudasim::warp_op(cudasim::Warp::min, m, v, 0));
}
CUDASIM_INLINE unsigned __reduce_max_sync(unsigned m, unsigned v) {
  return unsigned(cudasim::warp_op(cudasim::Warp::max, m, v, 0));
}
CUDASIM_INLINE unsigned __activemask() { return cudasim::live_mask(); }

// ---- atomics (one OS thread runs all fibers, so plain read-modify-write is atomic) --------------------------
#define CUDASIM_RAW __attribute__((noinline, no_sanitize("thread")))
#define CUDASIM_ATOMIC(name, expr)                    \
  template <class T>                                  \
  CUDASIM_RAW T name(T* p, std::common_type_t<T> v) { \
    cudasim::atomic_access(p, sizeof(T));             \
    T old = *p;                                       \
    *p = (expr);                                      \
    return old;                                       \
  }
CUDASIM_ATOMIC(atomicAdd, old + v)
CUDASIM_ATOMIC(atomicSub, old - v)
CUDASIM_ATOMIC(atomicExch, v)
CUDASIM_ATOMIC(atomicMin, v < old ? v : old)
CUDASIM_ATOMIC(atomicMax, v > old ? v : old)
CUDASIM_ATOMIC(atomicAnd, old& v)
CUDASIM_ATOMIC(atomicOr, old | v)
CUDASIM_ATOMIC(atomicXor, old ^ v)
CUDASIM_ATOMIC(atomicInc, old >= v ? T(0) : T(old + 1))
CUDASIM_ATOMIC(atomicDec, (old == 0 || old > v) ? v : T(old - 1))
template <class T>
CUDASIM_RAW T atomicCAS(T* p, std::common_type_t<T> cmp, std::common_type_t<T> v) {
  cudasim::atomic_access(p, sizeof(T));
  T old = *p;
  if (old == cmp) *p = v;
  return old;
}

// ---- arithmetic intrinsics ---------------------------------------------------------------------------------
#define __expf(x) (::expf(x))  // macros: glibc declares the double-underscore names
#define __logf(x) (::logf(x))
#define __log2f(x) (::log2f(x))
#define __sinf(x) (::sinf(x))
#define __cosf(x) (::cosf(x))
#define __powf(x, y) (::powf(x, y))
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __saturatef(float a) { return a < 0 ? 0 : a > 1 ? 1 : a; }
inline float rsqrtf(float a) { return 1.0f / std::sqrt(a); }
inline double rsqrt(double a) { return 1.0 / std::sqrt(a); }
template <class T>
CUDASIM_INLINE T __ldg(const T* p) {
  return *p;
}
template <class To, class From>
CUDASIM_INLINE To cudasim_bits(From f) {
  To t;
  static_assert(sizeof t == sizeof f);
  __builtin_memcpy(&t, &f, sizeof t);
  return t;
}
inline int __float_as_int(float f) { return cudasim_bits<int>(f); }
inline unsigned __float_as_uint(float f) { return cudasim_bits<unsigned>(f); }
inline float __int_as_float(int i) { return cudasim_bits<float>(i); }
inline float __uint_as_float(unsigned i) { return cudasim_bits<float>(i); }
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((std::uint64_t(a) * b) >> 32); }
template <class T>
CUDASIM_INLINE std::enable_if_t<std::is_arithmetic_v<T>, T> min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
CUDASIM_INLINE std::enable_if_t<std::is_arithmetic_v<T>, T> max(T a, T b) {
  return a < b ? b : a;
}

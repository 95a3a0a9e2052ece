#pragma once

/// Marks formulas that both compilers read: __host__ __device__ for CUDA. On the CPU they must be inlined: a loop is
/// vectorised only without calls, and GCC stops inlining where one function names many formulas.
#ifdef __CUDACC__
#define WENDE_HD __host__ __device__
#else
#define WENDE_HD __attribute__((always_inline))
#endif

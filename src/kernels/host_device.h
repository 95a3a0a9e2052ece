#pragma once

/// Marks formulas that both compilers read: plain C++ for the CPU, __host__ __device__ for CUDA.
#ifdef __CUDACC__
#define WENDE_HD __host__ __device__
#else
#define WENDE_HD
#endif

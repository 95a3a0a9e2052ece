#pragma once

#include "device/device.h"

/// Every kernel is a function of namespace cpu, and of namespace cuda with the same signature. Ops call
/// `WENDE_ON_DEVICE(context.device(), softmax(x, axis, log, out));`. Without CUDA only the CPU's call is compiled; with
/// it a kernel that does not exist is a link error.
#ifdef WENDE_HAS_CUDA
#define WENDE_ON_DEVICE(device, ...) ((device).is_cpu() ? cpu::__VA_ARGS__ : cuda::__VA_ARGS__)
#else
#define WENDE_ON_DEVICE(device, ...) cpu::__VA_ARGS__
#endif

/// In a kernel's header, outside of namespaces: declares wende::cuda::name with the type of wende::cpu::name.
#define WENDE_CUDA_KERNEL(name) \
  namespace wende::cuda {       \
  decltype(cpu::name) name;     \
  }

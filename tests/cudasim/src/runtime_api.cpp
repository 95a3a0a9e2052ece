// cudasim: the functions of the CUDA runtime API.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime.hpp"

using namespace cudasim;
namespace {
cudaError_t copy(void* d, const void* s, std::size_t n, cudaMemcpyKind k, cudaStream_t st, bool sync) {
  if (!n) return ret();
  bool dd = in_arena(d), sd = in_arena(s), dp = in_pinned(d), sp = in_pinned(s);
  bool ok = k == cudaMemcpyDefault || (k == cudaMemcpyHostToDevice && dd && !sd) ||
            (k == cudaMemcpyDeviceToHost && !dd && sd) || (k == cudaMemcpyDeviceToDevice && (dd || dp) && (sd || sp)) ||
            (k == cudaMemcpyHostToHost && !dd && !sd);
  if (!ok) {
    report("memcpy-kind", "cudaMemcpy direction does not match its pointers", __builtin_return_address(0));
    return ret(cudaErrorInvalidValue);
  }
  if (get(st)->capture && !((sd || sp) && (dd || dp)) && illegal_in_capture("a copy of pageable memory", false))
    return ret(cudaErrorStreamCaptureUnsupported);
  std::shared_ptr<std::vector<char>>
      staged;  // pageable source: staged before the call returns, as the real runtime does
  if (!sd && !sp) staged = std::make_shared<std::vector<char>>((const char*)s, (const char*)s + n);
  enqueue(st, "memcpy", [=] {
    if ((sd || sp) && !lib_access("cudaMemcpy", s, n, false)) return;
    if ((dd || dp) && !lib_access("cudaMemcpy", d, n, true)) return;
    std::memcpy(d, staged ? staged->data() : s, n);
  });
  if (sync || (!dd && !dp)) wait_stream(st);  // into pageable memory: synchronous
  return ret();
}
}  // namespace

extern "C" {
cudaError_t cudaMalloc(void** p, size_t n) { return allocate(p, n, false); }
cudaError_t cudaFree(void* p) { return free_(p, false); }
cudaError_t cudaMallocHost(void** p, size_t n) { return allocate(p, n, true); }
cudaError_t cudaHostAlloc(void** p, size_t n, unsigned) { return allocate(p, n, true); }
cudaError_t cudaFreeHost(void* p) { return free_(p, true); }
cudaError_t cudaMallocAsync(void** p, size_t n, cudaStream_t) { return allocate(p, n, false); }
cudaError_t cudaFreeAsync(void* p, cudaStream_t s) {
  if (illegal_in_capture("cudaFreeAsync (not emulated)", false)) return ret(cudaErrorStreamCaptureUnsupported);
  auto it = rt().allocs.find((std::uintptr_t)p);
  if (it == rt().allocs.end()) return ret(cudaErrorInvalidValue);
  enqueue(s, "cudaFreeAsync", [p] {
    auto& a = rt().allocs[(std::uintptr_t)p];
    if (lib_access("cudaFreeAsync", p, a.size, true)) release(a);
  });
  return ret();
}
cudaError_t cudaMemcpy(void* d, const void* s, size_t n, cudaMemcpyKind k) { return copy(d, s, n, k, nullptr, true); }
cudaError_t cudaMemcpyAsync(void* d, const void* s, size_t n, cudaMemcpyKind k, cudaStream_t st) {
  return copy(d, s, n, k, st, false);
}
cudaError_t cudaMemsetAsync(void* p, int v, size_t n, cudaStream_t s) {
  enqueue(s, "memset", [=] {
    if (lib_access("cudaMemset", p, n, true)) std::memset(p, v, n);
  });
  return ret();
}
cudaError_t cudaMemset(void* p, int v, size_t n) { return cudaMemsetAsync(p, v, n, nullptr); }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned f) {
  *s = rt().stream(0);
  (*s)->blocking = !(f & cudaStreamNonBlocking);
  return ret();
}
cudaError_t cudaStreamCreate(cudaStream_t* s) { return cudaStreamCreateWithFlags(s, 0); }
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* s, unsigned f, int) { return cudaStreamCreateWithFlags(s, f); }
cudaError_t cudaStreamDestroy(cudaStream_t s) {
  s->destroyed = true;
  return ret();
}
cudaError_t cudaStreamSynchronize(cudaStream_t s) {
  if (illegal_in_capture("cudaStreamSynchronize", false)) return ret(cudaErrorStreamCaptureUnsupported);
  wait_stream(s);
  return ret();
}
cudaError_t cudaStreamQuery(cudaStream_t s) {
  if (illegal_in_capture("cudaStreamQuery", false)) return ret(cudaErrorStreamCaptureUnsupported);
  Clock c = get(s)->clock;
  if (!reached(c)) step(c);
  if (!reached(c)) return cudaErrorNotReady;
  rt().host.merge(c);
  return ret();
}
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
  if (!wait_captured(get(s), e)) get(s)->clock.merge(e->clock);
  return ret();
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned f) {
  *e = new CUevent_st;
  (*e)->timing = !(f & cudaEventDisableTiming);
  return ret();
}
cudaError_t cudaEventCreate(cudaEvent_t* e) { return cudaEventCreateWithFlags(e, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t e) {
  run_until(e->clock);
  delete e;
  return ret();
}
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
  if (event_captured(get(s), e)) return ret();
  enqueue(s, "event", [e] { e->ms = now_ms(); });
  e->clock = get(s)->clock;
  return ret();
}
cudaError_t cudaEventSynchronize(cudaEvent_t e) {
  if (illegal_in_capture("cudaEventSynchronize", false)) return ret(cudaErrorStreamCaptureUnsupported);
  host_waits(e->clock);
  return ret();
}
cudaError_t cudaEventQuery(cudaEvent_t e) {
  if (illegal_in_capture("cudaEventQuery", false)) return ret(cudaErrorStreamCaptureUnsupported);
  if (!reached(e->clock)) step(e->clock);
  if (!reached(e->clock)) return cudaErrorNotReady;
  rt().host.merge(e->clock);
  return ret();
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) {
  if (!a->timing || !b->timing) return ret(cudaErrorInvalidResourceHandle);
  if (!reached(a->clock) || !reached(b->clock)) return ret(cudaErrorNotReady);
  *ms = float(b->ms - a->ms);
  return ret();
}
cudaError_t cudaLaunchHostFunc(cudaStream_t s, cudaHostFn_t f, void* u) {
  enqueue(s, "host function", [=] { f(u); });
  return ret();
}
cudaError_t cudaDeviceSynchronize() {
  if (illegal_in_capture("cudaDeviceSynchronize", false)) return ret(cudaErrorStreamCaptureUnsupported);
  host_waits(everything());
  return ret();
}
cudaError_t cudaGetLastError() {
  cudaError_t e = rt().last;
  rt().last = cudaSuccess;
  return e == cudaSuccess ? rt().stick : e;
}
cudaError_t cudaPeekAtLastError() { return rt().last; }
const char* cudaGetErrorName(cudaError_t e) { return e == cudaSuccess ? "cudaSuccess" : "cudaError (emulated)"; }
const char* cudaGetErrorString(cudaError_t e) {
  static char b[64];
  std::snprintf(b, sizeof b, "CUDA error %d (emulated)", int(e));
  return b;
}
// CUDASIM_DEVICES=n, or "none" for a machine without a driver.
cudaError_t cudaGetDeviceCount(int* n) {
  const char* v = std::getenv("CUDASIM_DEVICES");
  if (v && !std::strcmp(v, "none")) return ret(cudaErrorInsufficientDriver);
  *n = v ? std::atoi(v) : 1;
  return ret();
}
// Every emulated device is this process's one arena; the number only tells ranks apart.
static int chosen_device = 0;
cudaError_t cudaSetDevice(int d) {
  chosen_device = d;
  return ret();
}
cudaError_t cudaGetDevice(int* d) {
  *d = chosen_device;
  return ret();
}
cudaError_t cudaDriverGetVersion(int* v) {
  *v = CUDART_VERSION;
  return ret();
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  *p = cudaDeviceProp{};
  std::snprintf(p->name, sizeof p->name, "emulated GPU");
  p->major = 9;
  p->multiProcessorCount = 2;
  p->totalGlobalMem = kDevice;
  return ret();
}
// CUDASIM_NO_CODE=1: as if the binary had been compiled for other GPUs.
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* a, const void*) {
  *a = {};
  return ret(std::getenv("CUDASIM_NO_CODE") ? cudaErrorNoKernelImageForDevice : cudaSuccess);
}
cudaError_t cudaDeviceGetPCIBusId(char* text, int n, int d) {
  std::snprintf(text, std::size_t(n), "emulated:%02d", d);
  return ret();
}
cudaError_t cudaDeviceGetAttribute(int* v, cudaDeviceAttr a, int) {
  *v = a == cudaDevAttrMultiProcessorCount            ? 2
       : a == cudaDevAttrMaxThreadsPerBlock           ? 1024
       : a == cudaDevAttrWarpSize                     ? 32
       : a == cudaDevAttrMaxSharedMemoryPerBlockOptin ? 227 * 1024
       : a == cudaDevAttrComputeCapabilityMajor       ? 9
                                                      : 0;
  return ret();
}
cudaError_t cudaMemGetInfo(size_t* f, size_t* t) {
  *t = kDevice;
  *f = kDevice - rt().dev_top;
  return ret();
}
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) allow_shared(kernel, value);
  return ret();
}
}

// One mistake per kernel: what the emulation must find (planted_faults_test.cpp).
#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "planted_faults.h"

extern __shared__ unsigned char wende_dynamic_shared[];

namespace wende::faults {

__global__ void store(float* p, int i) { p[threadIdx.x + i] = 1.0f; }
__global__ void load(const float* p, int i, float* out) { out[threadIdx.x] = p[threadIdx.x + i]; }
__global__ void load4(const float4* p, float* out) {
  const float4 v = p[threadIdx.x];
  out[threadIdx.x] = v.x + v.y + v.z + v.w;
}
__global__ void fill(float* p, float v, int n) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) p[i] = v;
}
__global__ void add(const float* a, float* b, int n) {
  for (int i = threadIdx.x; i < n; i += blockDim.x) b[i] = a[i] + 1;
}
__global__ void count_plain(int* p) { *p += 1; }
__global__ void count_atomic(int* p) { atomicAdd(p, 1); }

template <bool kSync>
__global__ void tree(const float* x, float* out) {
  __shared__ float s[64];
  s[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  for (unsigned d = 32; d > 0; d >>= 1) {
    if (threadIdx.x < d) s[threadIdx.x] += s[threadIdx.x + d];
    if (kSync) __syncthreads();
  }
  if (threadIdx.x == 0) *out = s[0];
}

template <bool kSync>
__global__ void rotate(float* out) {
  __shared__ float s[32];
  s[threadIdx.x] = float(threadIdx.x);
  if (kSync) __syncwarp();
  out[threadIdx.x] = s[(threadIdx.x + 1) % 32];
}

__global__ void early_return(float* out, int n) {
  __shared__ float s[64];
  if (int(threadIdx.x) >= n) return;
  s[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = s[(threadIdx.x + 1) % n];
}

__global__ void half_barrier(float* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
    out[threadIdx.x] = 1;
  } else {
    __syncwarp(0x0000ffffu);
  }
}

__global__ void bad_shuffle(float* out) {
  float v = float(threadIdx.x);
  if (threadIdx.x < 16) v = __shfl_xor_sync(0x0000ffffu, v, 16);
  out[threadIdx.x] = v;
}

__global__ void shared_unwritten(float* out) {
  __shared__ float s[64];
  if (threadIdx.x < 32) s[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x];
}

__global__ void dynamic_overflow(float* out) {
  float* s = reinterpret_cast<float*>(wende_dynamic_shared);
  s[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x];
}

template <bool kFence>
__global__ void last_block(const float* x, float* part, unsigned* ticket, float* out) {
  __shared__ bool last;
  const float v = cuda::warp_reduce(x[blockIdx.x * 32 + threadIdx.x], cuda::Sum());
  if (threadIdx.x == 0) {
    part[blockIdx.x] = v;
    if (kFence) __threadfence();
    last = atomicAdd(ticket, 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    float s = 0;
    for (unsigned b = 0; b < gridDim.x; ++b) s += part[b];
    *out = s;
  }
}

namespace {

template <class T>
T* device(size_t count, int byte = 0) {
  T* p = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&p), count * sizeof(T));
  if (byte >= 0) cudaMemset(p, byte, count * sizeof(T));
  cudaDeviceSynchronize();
  return p;
}

template <class... P, class... A>
void start(cudaStream_t stream, unsigned blocks, unsigned threads, size_t shared, void (*kernel)(P...), A... args) {
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = threads;
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  cudaLaunchKernelEx(&config, kernel, args...);
}

template <class... P, class... A>
void start(unsigned blocks, unsigned threads, void (*kernel)(P...), A... args) {
  start(nullptr, blocks, threads, 0, kernel, args...);
}

cudaStream_t new_stream() {
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  return stream;
}

float* pinned(size_t count) {
  float* p = nullptr;
  cudaMallocHost(reinterpret_cast<void**>(&p), count * sizeof(float));
  for (size_t i = 0; i < count; ++i) p[i] = 0;
  return p;
}

void forgotten_event_wait(bool waits) {
  float* a = device<float>(32);
  float* b = device<float>(32);
  const cudaStream_t first = new_stream();
  const cudaStream_t second = new_stream();
  start(first, 1, 32, 0, fill, a, 5.0f, 32);
  if (waits) {
    cudaEvent_t event = nullptr;
    cudaEventCreate(&event);
    cudaEventRecord(event, first);
    cudaStreamWaitEvent(second, event, 0);
  }
  start(second, 1, 32, 0, add, static_cast<const float*>(a), b, 32);
}

void forgotten_stream_wait() {
  float* host = pinned(32);
  float* a = device<float>(32);
  const cudaStream_t stream = new_stream();
  start(stream, 1, 32, 0, fill, a, 5.0f, 32);
  cudaMemcpyAsync(host, a, 128, cudaMemcpyDeviceToHost, stream);
  volatile float seen = host[7];
  static_cast<void>(seen);
}

void pinned_reused_too_early() {
  float* host = pinned(32);
  float* a = device<float>(32);
  const cudaStream_t stream = new_stream();
  cudaMemcpyAsync(a, host, 128, cudaMemcpyHostToDevice, stream);
  for (int i = 0; i < 32; ++i) host[i] = 2;
}

/// A batch goes through pinned memory and a stream of its own: kernels wait for the copy, the next copy for the
/// kernels.
void copy_stream(bool kernel_waits, bool copy_waits) {
  float* host = pinned(32);
  float* batch = device<float>(32);
  float* out = device<float>(32);
  const cudaStream_t compute = new_stream();
  const cudaStream_t copies = new_stream();
  cudaEvent_t copied = nullptr;
  cudaEvent_t used = nullptr;
  cudaEventCreate(&copied);
  cudaEventCreate(&used);
  for (int step = 0; step < 2; ++step) {
    if (copy_waits) cudaStreamWaitEvent(copies, used, 0);
    cudaMemcpyAsync(batch, host, 128, cudaMemcpyHostToDevice, copies);
    cudaEventRecord(copied, copies);
    if (kernel_waits) cudaStreamWaitEvent(compute, copied, 0);
    start(compute, 1, 32, 0, add, static_cast<const float*>(batch), out, 32);
    cudaEventRecord(used, compute);
  }
}

void freed_on_another_stream(bool waits) {
  float* p = nullptr;
  const cudaStream_t first = new_stream();
  const cudaStream_t second = new_stream();
  cudaMallocAsync(reinterpret_cast<void**>(&p), 128, first);
  start(first, 1, 32, 0, fill, p, 5.0f, 32);
  if (waits) {
    cudaEvent_t event = nullptr;
    cudaEventCreate(&event);
    cudaEventRecord(event, first);
    cudaStreamWaitEvent(second, event, 0);
  }
  cudaFreeAsync(p, second);
}

/// Adds one to 32 numbers in a graph, beside which `also` is done in the capture; launched twice, after `between`.
void graph(const std::function<void(cudaStream_t)>& also, const std::function<void(float*)>& between = {}) {
  float* a = device<float>(32);
  float* b = device<float>(32);
  const cudaStream_t stream = new_stream();
  cudaGraph_t captured = nullptr;
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
  start(stream, 1, 32, 0, add, static_cast<const float*>(a), b, 32);
  if (also) also(stream);
  cudaStreamEndCapture(stream, &captured);
  if (captured == nullptr) return;
  cudaGraphExec_t exec = nullptr;
  cudaGraphInstantiate(&exec, captured, 0);
  cudaGraphDestroy(captured);
  cudaGraphLaunch(exec, stream);
  if (between) between(a);
  cudaGraphLaunch(exec, stream);
}

void malloc_in_capture(cudaStream_t) {
  void* p = nullptr;
  cudaMalloc(&p, 4);
}

void relaxed_malloc_in_capture(cudaStream_t) {
  auto mode = cudaStreamCaptureModeRelaxed;
  cudaThreadExchangeStreamCaptureMode(&mode);
  void* p = nullptr;
  cudaMalloc(&p, 4);
  cudaThreadExchangeStreamCaptureMode(&mode);
}

void pageable_copy_in_capture(cudaStream_t stream) {
  static float host[4] = {};
  static float* const kTarget = [] {
    float* p = nullptr;
    relaxed_malloc_in_capture(nullptr);
    auto mode = cudaStreamCaptureModeRelaxed;
    cudaThreadExchangeStreamCaptureMode(&mode);
    cudaMalloc(reinterpret_cast<void**>(&p), sizeof(host));
    cudaThreadExchangeStreamCaptureMode(&mode);
    return p;
  }();
  cudaMemcpyAsync(kTarget, host, sizeof(host), cudaMemcpyHostToDevice, stream);
}

void event_from_outside(cudaStream_t stream) {
  cudaEvent_t event = nullptr;
  cudaEventCreate(&event);
  cudaEventRecord(event, new_stream());
  cudaStreamWaitEvent(stream, event, 0);
}

/// A branch of a capture: it waits for the capture's stream, and is waited for.
void branch(cudaStream_t stream, bool waits, bool joins) {
  static float* const kNumbers = [] {
    float* p = nullptr;
    auto mode = cudaStreamCaptureModeRelaxed;
    cudaThreadExchangeStreamCaptureMode(&mode);
    cudaMalloc(reinterpret_cast<void**>(&p), 128);
    cudaThreadExchangeStreamCaptureMode(&mode);
    return p;
  }();
  const cudaStream_t other = new_stream();
  cudaEvent_t forks = nullptr;
  cudaEvent_t ends = nullptr;
  cudaEventCreate(&forks);
  cudaEventCreate(&ends);
  if (!waits) cudaEventRecord(forks, stream);
  start(stream, 1, 32, 0, fill, kNumbers, 5.0f, 32);
  if (waits) cudaEventRecord(forks, stream);
  cudaStreamWaitEvent(other, forks, 0);
  start(other, 1, 32, 0, fill, kNumbers, 6.0f, 32);
  cudaEventRecord(ends, other);
  if (joins) cudaStreamWaitEvent(stream, ends, 0);
}

void overwritten_beside_a_graph(float* read_by_it) { start(new_stream(), 1, 32, 0, fill, read_by_it, 1.0f, 32); }

void use_after_free() {
  float* p = device<float>(32);
  cudaFree(p);
  start(1, 32, store, p, 0);
}

void host_pointer() {
  const std::vector<float> host(32);  // a static variable would pass for a __device__ one
  start(1, 32, store, const_cast<float*>(host.data()), 0);
  cudaDeviceSynchronize();
}

void host_reads_device() {
  const volatile float* p = device<float>(32);
  static_cast<void>(p[3]);
}

void wrong_direction() {
  float host[4] = {};
  cudaMemcpy(host, device<float>(4), 16, cudaMemcpyHostToDevice);
}

void much_shared_memory(bool allowed) {
  constexpr int kBytes = 64 << 10;
  if (allowed) cudaFuncSetAttribute(dynamic_overflow, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  start(nullptr, 1, 64, kBytes, dynamic_overflow, device<float>(64));
}

void grid_of_70000_rows() {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(1, 70000);
  config.blockDim = 32;
  cudaLaunchKernelEx(&config, store, device<float>(32), 0);
}

template <bool kFence>
void last_block_sum() {
  start(4, 32, last_block<kFence>, static_cast<const float*>(device<float>(128)), device<float>(4), device<unsigned>(1),
        device<float>(1));
}

}  // namespace

const std::vector<Fault>& all() {
  static const std::vector<Fault> kFaults = {
      {"missing_syncthreads", "shared-race",
       [] { start(1, 64, tree<false>, static_cast<const float*>(device<float>(64)), device<float>(1)); }},
      {"missing_syncwarp", "shared-race", [] { start(1, 32, rotate<false>, device<float>(32)); }},
      {"no_atomic", "global-race", [] { start(4, 64, count_plain, device<int>(1)); }},
      {"last_block_without_fence", "global-race", last_block_sum<false>},
      {"read_behind_the_end", "out-of-bounds",
       [] { start(1, 32, load, static_cast<const float*>(device<float>(32)), 1, device<float>(32)); }},
      {"write_behind_the_end", "out-of-bounds", [] { start(1, 32, store, device<float>(32), 1); }},
      {"use_after_free", "use-after-free", use_after_free},
      {"misaligned", "misaligned",
       [] { start(1, 8, load4, reinterpret_cast<const float4*>(device<float>(64) + 1), device<float>(8)); }},
      {"kernel_gets_host_pointer", "host-pointer", host_pointer},
      {"host_reads_device", "host-access", host_reads_device},
      {"copy_in_the_wrong_direction", "memcpy-kind", wrong_direction},
      {"host_does_not_wait_for_stream", "stream-race", forgotten_stream_wait},
      {"stream_does_not_wait_for_event", "stream-race", [] { forgotten_event_wait(false); }},
      {"pinned_memory_reused_too_early", "stream-race", pinned_reused_too_early},
      {"kernel_does_not_wait_for_copy_stream", "stream-race", [] { copy_stream(false, true); }},
      {"copy_stream_does_not_wait_for_kernel", "stream-race", [] { copy_stream(true, false); }},
      {"freed_on_another_stream", "stream-race or use-after-free", [] { freed_on_another_stream(false); }},
      {"malloc_in_capture", "capture", [] { graph(malloc_in_capture); }},
      {"free_in_capture", "capture", [] { graph([p = device<float>(4)](cudaStream_t) { cudaFree(p); }); }},
      {"synchronize_in_capture", "capture", [] { graph([](cudaStream_t stream) { cudaStreamSynchronize(stream); }); }},
      {"pageable_copy_in_capture", "capture", [] { graph(pageable_copy_in_capture); }},
      {"event_from_outside_in_capture", "capture", [] { graph(event_from_outside); }},
      {"branch_of_a_graph_does_not_wait", "stream-race",
       [] { graph([](cudaStream_t stream) { branch(stream, false, true); }); }},
      {"branch_of_a_graph_not_joined", "capture",
       [] { graph([](cudaStream_t stream) { branch(stream, true, false); }); }},
      {"graph_outlives_its_memory", "use-after-free", [] { graph({}, [](float* a) { cudaFree(a); }); }},
      {"nobody_waits_for_a_graph", "stream-race", [] { graph({}, overwritten_beside_a_graph); }},
      {"barrier_after_early_return", "divergent-barrier", [] { start(1, 64, early_return, device<float>(64), 40); }},
      {"barrier_in_half_of_the_block", "divergent-barrier", [] { start(1, 64, half_barrier, device<float>(64)); }},
      {"shuffle_from_absent_lane", "warp-sync", [] { start(1, 32, bad_shuffle, device<float>(32)); }},
      {"shared_memory_unwritten", "uninitialised", [] { start(1, 64, shared_unwritten, device<float>(64)); }},
      {"dynamic_shared_memory_too_small", "out-of-bounds",
       [] { start(nullptr, 1, 64, 63 * 4, dynamic_overflow, device<float>(64)); }},
      {"shared_memory_without_attribute", "shared-memory", [] { much_shared_memory(false); }},
      {"block_of_2048_threads", "launch", [] { start(1, 2048, store, device<float>(2048), 0); }},
      {"grid_of_70000_rows", "launch", grid_of_70000_rows},
      {"right_much_shared_memory", "", [] { much_shared_memory(true); }},
      {"right_tree", "",
       [] { start(1, 64, tree<true>, static_cast<const float*>(device<float>(64)), device<float>(1)); }},
      {"right_rotation", "", [] { start(1, 32, rotate<true>, device<float>(32)); }},
      {"right_atomic", "", [] { start(4, 64, count_atomic, device<int>(1)); }},
      {"right_last_block", "", last_block_sum<true>},
      {"right_event_wait", "", [] { forgotten_event_wait(true); }},
      {"right_copy_stream", "", [] { copy_stream(true, true); }},
      {"right_free_on_another_stream", "", [] { freed_on_another_stream(true); }},
      {"right_branch_of_a_graph", "", [] { graph([](cudaStream_t stream) { branch(stream, true, true); }); }},
      {"right_graph", "", [] { graph({}); }},
      {"right_malloc_in_capture", "", [] { graph(relaxed_malloc_in_capture); }},
  };
  return kFaults;
}

}  // namespace wende::faults

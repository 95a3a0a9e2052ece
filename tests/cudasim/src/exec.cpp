// cudasim: runs a grid. Blocks one after another, the threads of a block as fibers on this one OS thread.
#include <cuda_runtime.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "core.hpp"

// ---- fiber switch (System V x86-64; elsewhere ucontext) -----------------------------------------------------
#if defined(__x86_64__)
extern "C" void cudasim_switch(void** save, void* load);
asm(R"(
.text
.globl cudasim_switch
.type cudasim_switch,@function
cudasim_switch:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
.size cudasim_switch,.-cudasim_switch
)");
#else
#error "cudasim prototype: add a switch (or ucontext) for this processor"
#endif

// threadIdx & co: declared `extern const` by the toolkit's device_launch_parameters.h; the asm labels let this file
// define and write them under a second C++ name.
namespace cudasim {
uint3 tid_ asm("threadIdx");
uint3 bid_ asm("blockIdx");
dim3 bdim_ asm("blockDim");
dim3 gdim_ asm("gridDim");
int warp_size_ asm("warpSize") = 32;

Stats counters{};
std::uintptr_t dyn_base = 0;
std::size_t dyn_cap = 0;
DynamicShared::DynamicShared(void* b, std::size_t n) {
  dyn_base = (std::uintptr_t)b;
  dyn_cap = n;
}

namespace {
constexpr std::size_t kStack = 64 << 10, kMaxThreads = 1024;
enum class State : std::uint8_t { fresh, ready, barrier, warp, done };
struct Fiber {
  void* sp = nullptr;
  int stack = -1;
  State state = State::fresh;
  uint3 tid{};
  std::uint16_t index = 0, bar = 0, warp_epoch = 0;
  // pending warp operation / barrier
  Warp kind{};
  unsigned mask = 0;
  int src = 0, pred = 0;
  Barrier bkind{};
  std::uint64_t value = 0, result = 0;
  const void* site = nullptr;  // warp operation
  Site at{};                   // block barrier
};
std::string text(const Site& s) {
  const char* b = std::strrchr(s.file, '/');
  return std::string(b ? b + 1 : s.file) + ":" + std::to_string(s.line);
}
bool same(const Site& a, const Site& b) { return a.line == b.line && !std::strcmp(a.file, b.file); }
struct Block {
  std::vector<Fiber> f;
  std::vector<std::uint16_t> ready, warp_epoch;
  int live = 0, waiting = 0;
  bool fenced = false, acquired = false, abort = false;
} blk;
Fiber* cur = nullptr;
void* scheduler_sp = nullptr;
const Call* call_ = nullptr;
std::uint32_t block_linear = 0;
std::size_t smem_bytes_ = 0;
std::vector<bool> released;
char* stacks = nullptr;
std::vector<int> free_stacks;
std::uint64_t rng_state = 0;

[[noreturn]] void fiber_main() {
  call_->invoke(call_->data.get());
  cur->state = State::done;
  cudasim_switch(&cur->sp, scheduler_sp);
  std::abort();
}
void yield() {
  ++counters.switches;
  cudasim_switch(&cur->sp, scheduler_sp);
}
void resume(Fiber& f) {
  if (f.state == State::fresh) {
    f.stack = free_stacks.back();
    free_stacks.pop_back();
    void** top = reinterpret_cast<void**>(stacks + (f.stack + 1) * kStack);
    *--top = nullptr;  // fake return address; keeps rsp%16==8 at entry
    *--top = reinterpret_cast<void*>(&fiber_main);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    f.sp = top;
  }
  f.state = State::ready;
  cur = &f;
  tid_ = f.tid;
  ++counters.switches;
  cudasim_switch(&scheduler_sp, f.sp);
  cur = nullptr;
  if (f.state == State::done) {
    free_stacks.push_back(f.stack);
    --blk.live;
  }
}
Fiber* lane_fiber(int warp, int lane) {
  std::size_t i = std::size_t(warp) * 32 + lane;
  return i < blk.f.size() ? &blk.f[i] : nullptr;
}
void make_ready(Fiber& f) {
  f.state = State::ready;
  blk.ready.push_back(f.index);
}

// All lanes named in `mask` wait with that mask: compute every lane's result and release them.
bool try_release_warp(int warp, unsigned mask, bool drop_exited) {
  unsigned part = 0;
  for (int l = 0; l < 32; ++l) {
    if (!(mask >> l & 1)) continue;
    Fiber* f = lane_fiber(warp, l);
    if (!f || f->state == State::done) {
      if (f && !drop_exited) return false;
      if (f) report("warp-sync", "a lane named in the mask has exited", nullptr);
      continue;  // a lane beyond the block's last thread counts as not there
    }
    if (f->state != State::warp || f->mask != mask) return false;
    part |= 1u << l;
  }
  if (!part) return false;
  Warp kind = lane_fiber(warp, __builtin_ctz(part))->kind;
  std::uint64_t acc = kind == Warp::min ? ~0ull : 0;
  for (int l = 0; l < 32; ++l)
    if (part >> l & 1) {
      Fiber& f = *lane_fiber(warp, l);
      if (f.kind != kind) report("warp-sync", "lanes of one warp wait in different warp operations", f.site);
      if (kind == Warp::ballot) acc |= std::uint64_t(f.value & 1) << l;
      if (kind == Warp::add) acc += f.value;
      if (kind == Warp::min) acc = std::min(acc, f.value);
      if (kind == Warp::max) acc = std::max(acc, f.value);
    }
  std::uint16_t epoch = kind == Warp::sync ? ++blk.warp_epoch[warp] : 0;
  for (int l = 0; l < 32; ++l)
    if (part >> l & 1) {
      Fiber& f = *lane_fiber(warp, l);
      f.result = acc;
      if (kind == Warp::shfl) {
        if (f.src < 0 || f.src > 31 || !(part >> f.src & 1)) {
          report("warp-sync", "shuffle reads from a lane that does not take part", f.site);
          f.result = 0xdeadbeefdeadbeefull;
        } else
          f.result = lane_fiber(warp, f.src)->value;
      } else if (kind == Warp::match) {
        f.result = 0;
        for (int k = 0; k < 32; ++k)
          if ((part >> k & 1) && lane_fiber(warp, k)->value == f.value) f.result |= 1u << k;
      } else if (kind == Warp::sync)
        f.warp_epoch = epoch;  // only __syncwarp orders memory; shuffles do not
    }
  for (int l = 0; l < 32; ++l)
    if (part >> l & 1) {
      Fiber& f = *lane_fiber(warp, l);
      if (&f == cur)
        f.state = State::ready;
      else
        make_ready(f);
    }
  return true;
}
bool try_release_barrier() {
  if (!blk.waiting || blk.waiting < blk.live) return false;
  if (blk.live < int(blk.f.size()) && options().strict_exit) {
    for (auto& f : blk.f)
      if (f.state == State::barrier) {
        report("divergent-barrier", "__syncthreads reached by " + std::to_string(blk.live) + " of " +
                                        std::to_string(blk.f.size()) + " threads; the others have exited  [" +
                                        text(f.at) + "]");
        break;
      }
  }
  int n = 0, t = 0;
  const Fiber* first = nullptr;
  for (auto& f : blk.f)
    if (f.state == State::barrier) {
      ++t;
      n += f.pred != 0;
      if (!first)
        first = &f;
      else if (!same(f.at, first->at)) {
        report("divergent-barrier",
               "threads wait at different __syncthreads: " + text(first->at) + " and " + text(f.at));
        first = &f;
      }
    }
  for (auto& f : blk.f)
    if (f.state == State::barrier) {
      f.result = f.bkind == Barrier::count ? n : f.bkind == Barrier::all ? n == t : f.bkind == Barrier::any ? n > 0 : 0;
      ++f.bar;
      if (&f == cur)
        f.state = State::ready;
      else
        make_ready(f);
    }
  blk.waiting = 0;
  return true;
}
// Nothing is ready: an exited lane may have been the missing one; otherwise the block is deadlocked.
bool unstick() {
  if (try_release_barrier()) return true;
  for (auto& f : blk.f)
    if (f.state == State::warp && try_release_warp(f.index / 32, f.mask, true)) return true;
  std::string s = "block cannot continue:";
  int bar = 0, warp = 0;
  const void* site = nullptr;
  for (auto& f : blk.f) {
    bar += f.state == State::barrier;
    warp += f.state == State::warp;
    if (f.state > State::ready && f.state < State::done) site = f.site;
  }
  report(
      "deadlock",
      s + " " + std::to_string(bar) + " threads wait in __syncthreads, " + std::to_string(warp) + " in warp operations",
      site);
  return false;
}
void run_block() {
  const int order = options().order;
  while (blk.live && !blk.abort) {
    if (blk.ready.empty() && !unstick()) {
      set_sticky(cudaErrorLaunchFailure);
      break;
    }
    // a wave: everything that became ready runs once, in the chosen order
    std::vector<std::uint16_t> wave;
    wave.swap(blk.ready);
    if (order != 2) std::sort(wave.begin(), wave.end());
    if (order == 1) std::reverse(wave.begin(), wave.end());
    if (order == 2)
      for (std::size_t i = wave.size(); i > 1; --i) std::swap(wave[i - 1], wave[rnd() % i]);
    for (auto i : wave) {
      resume(blk.f[i]);
      if (blk.abort) break;
    }
  }
  if (blk.live)  // aborted: abandon the fibers that are still suspended
    for (auto& f : blk.f)
      if (f.state != State::done && f.state != State::fresh) free_stacks.push_back(f.stack);
}
}  // namespace

std::uint64_t rnd() {  // splitmix64
  if (!rng_state) rng_state = options().seed * 0x9e3779b97f4a7c15ull + 1;
  std::uint64_t z = (rng_state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
bool in_kernel() { return cur != nullptr; }
int lane() { return cur->index & 31; }
unsigned live_mask() {
  unsigned m = 0;
  for (int l = 0; l < 32; ++l) {
    Fiber* f = lane_fiber(cur->index / 32, l);
    if (f && f->state != State::done) m |= 1u << l;
  }
  return m;
}
ThreadId current_thread() { return {block_linear, cur->index, cur->bar, cur->warp_epoch}; }
bool on_fiber_stack(std::uintptr_t a) { return a - (std::uintptr_t)stacks < kStack * kMaxThreads; }
std::size_t dynamic_smem_bytes() { return smem_bytes_; }
bool block_released(std::uint32_t b) { return b < released.size() && released[b]; }
bool block_acquired() { return blk.acquired; }
void fence() { blk.fenced = true; }
void note_atomic() {
  if (!cur) return;
  if (blk.fenced) released[block_linear] = true;
  blk.acquired = true;
}
void abort_block() {  // an illegal access: this thread, block and grid never continue
  blk.abort = true;
  yield();
  std::abort();
}
int block_barrier(Barrier kind, int pred, Site site) {
  Fiber& f = *cur;
  f.state = State::barrier;
  f.bkind = kind;
  f.pred = pred;
  f.at = site;
  ++blk.waiting;
  if (blk.waiting == blk.live && blk.live == int(blk.f.size()))
    try_release_barrier();
  else
    yield();
  return int(f.result);
}
std::uint64_t warp_op(Warp kind, unsigned mask, std::uint64_t value, int src) {
  Fiber& f = *cur;
  f.kind = kind;
  f.mask = mask;
  f.value = value;
  f.src = src;
  f.site = __builtin_return_address(0);
  if (!(mask >> (f.index & 31) & 1)) {
    report("warp-sync", "the calling lane is not in the mask", f.site);
    return value;
  }
  f.state = State::warp;
  if (!try_release_warp(f.index / 32, mask, false)) yield();
  return f.result;
}
bool is_argument(std::uintptr_t a) { return call_ && a - (std::uintptr_t)call_->data.get() < call_->bytes; }
void run_grid(dim3 grid, dim3 block, std::size_t smem, const Call& call) {
  if (!stacks) {
    stacks = (char*)mmap(nullptr, kStack * kMaxThreads, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (int i = kMaxThreads - 1; i >= 0; --i) {
      free_stacks.push_back(i);
      mprotect(stacks + i * kStack, 4096, PROT_NONE);
    }
  }
  ++counters.kernels;
  call_ = &call;
  gdim_ = grid;
  bdim_ = block;
  smem_bytes_ = smem;
  const std::uint32_t nb = grid.x * grid.y * grid.z, nt = block.x * block.y * block.z;
  released.assign(nb, false);
  std::vector<std::uint32_t> order(nb);
  std::iota(order.begin(), order.end(), 0u);
  if (options().order == 1) std::reverse(order.begin(), order.end());
  if (options().order == 2)
    for (std::uint32_t i = nb; i > 1; --i) std::swap(order[i - 1], order[rnd() % i]);
  blk.f.resize(nt);
  for (std::uint32_t b : order) {
    ++counters.blocks;
    counters.threads += nt;
    block_linear = b;
    bid_ = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
    if (dyn_base && smem) std::memset((void*)dyn_base, 0xdb, smem);  // shared memory starts as garbage
    shadow_new_block();
    blk.ready.clear();
    blk.warp_epoch.assign((nt + 31) / 32, 0);
    blk.live = int(nt);
    blk.waiting = 0;
    blk.fenced = blk.acquired = blk.abort = false;
    for (std::uint32_t t = 0; t < nt; ++t) {
      Fiber& f = blk.f[t];
      f = Fiber{};
      f.index = std::uint16_t(t);
      f.tid = {t % block.x, t / block.x % block.y, t / block.x / block.y};
      blk.ready.push_back(f.index);
    }
    // keep State::fresh while queued: run_block resumes by index
    run_block();
    if (sticky() != cudaSuccess) break;
  }
  call_ = nullptr;
}
}  // namespace cudasim

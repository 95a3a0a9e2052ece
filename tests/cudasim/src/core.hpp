// cudasim internals shared by its source files.
#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cudasim.h"

namespace cudasim {
using Seq = std::uint64_t;

// Vector clock over {0: host, 1: legacy default stream, 2..: created streams}. One clock answers both questions:
// "may this op run yet?" (all components completed) and "does that access happen before this one?".
struct Clock {
  std::vector<Seq> v;
  Seq operator[](std::size_t i) const { return i < v.size() ? v[i] : 0; }
  void set(std::size_t i, Seq s) {
    if (i >= v.size()) v.resize(i + 1);
    v[i] = s;
  }
  void merge(const Clock& o) {
    if (o.v.size() > v.size()) v.resize(o.v.size());
    for (std::size_t i = 0; i < o.v.size(); ++i)
      if (o.v[i] > v[i]) v[i] = o.v[i];
  }
};

struct Op {
  const char* name = "";
  int stream = 0;
  Seq seq = 0;
  std::uint32_t id = 0;
  Clock clock;
  std::function<void()> run;
  std::function<bool()> poll;  // collectives: true once all ranks have arrived
};

enum { HOST = 0, NULL_STREAM = 1 };
struct OpInfo {
  int stream;
  Seq seq;
  const char* name;
};  // kept for every op id, for race reports

// runtime.cpp
void enqueue(cudaStream_t s, const char* name, std::function<void()> run, std::function<bool()> poll = {});
cudaError_t sticky();
void set_sticky(cudaError_t e);
const Op* current_op();
const OpInfo& op_info(std::uint32_t id);
std::uint32_t host_op();                   // op id standing for "host code, now"
bool happens_before(std::uint32_t op_id);  // ... the op (or host) that runs now
void* arena_base();
std::size_t arena_size();
bool in_arena(const void* p);
bool in_pinned(const void* p);
struct Alloc {
  std::uintptr_t base;
  std::size_t size;
  int id;
  bool freed, pinned;
};
const Alloc* find_alloc(const void* p);  // allocation containing p or ending just before it
std::string describe(const void* p);
// library calls (memcpy, cuBLAS, cuDNN, NCCL) announce what they touch; false = refused (reported, sticky error set)
bool lib_access(const char* who, const void* p, std::size_t bytes, bool write);
void drain_all();

// count.cpp
void count_launch(const char* name, const void* kernel);

// exec.cpp
struct Call;
void run_grid(dim3 grid, dim3 block, std::size_t smem, const Call& call);
bool is_argument(std::uintptr_t a);  // inside the captured arguments of the running launch
bool in_kernel();
std::uint64_t rnd();
struct ThreadId {
  std::uint32_t block;
  std::uint16_t thread, bar, warp_epoch;
};
ThreadId current_thread();
bool on_fiber_stack(std::uintptr_t a);
[[noreturn]] void abort_block();
std::size_t dynamic_smem_bytes();
bool block_released(std::uint32_t block);
bool block_acquired();
extern std::uintptr_t dyn_base;
extern std::size_t dyn_cap;
extern Stats counters;

// check.cpp
void report(const char* kind, const std::string& text, const void* pc = nullptr);
std::string symbol(const void* pc);
void shadow_alloc(std::uintptr_t a, std::size_t n, bool fresh);
void shadow_free(std::uintptr_t a, std::size_t n);
void shadow_range(std::uintptr_t a, std::size_t n, bool write);
void shadow_new_block();
bool checked();
}  // namespace cudasim

// cudasim: the CUDA runtime API on one process = one device. Streams are queues of closures that one scheduler runs,
// lazily, when the host waits for something; device memory lives in an arena that host code cannot touch.
#include "runtime.hpp"

#include <cuda_runtime.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cudasim {
double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
Runtime::Runtime() {
  auto env = [](const char* n, const char* d) {
    const char* v = std::getenv(n);
    return std::string(v ? v : d);
  };
  opt.lazy = env("CUDASIM_SCHED", "lazy") != "eager";
  std::string o = env("CUDASIM_ORDER", "random");
  opt.order = o == "forward" ? 0 : o == "reverse" ? 1 : 2;
  opt.seed = std::strtoull(env("CUDASIM_SEED", "1").c_str(), nullptr, 10);
  opt.guard = env("CUDASIM_GUARD", "1") != "0";
  opt.initcheck = env("CUDASIM_INITCHECK", "0") != "0";
  base = (char*)mmap(nullptr, kDevice + kPinned, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                     -1, 0);
  if (base == MAP_FAILED) {
    std::perror("cudasim: arena");
    std::abort();
  }
  if (opt.guard) mprotect(base, kDevice, PROT_NONE);
  pin_top = kDevice;
  stream(HOST);
  stream(NULL_STREAM);
  host.set(HOST, 1);
  static char alt[64 << 10];
  stack_t ss{};
  ss.ss_sp = alt;
  ss.ss_size = sizeof alt;
  sigaltstack(&ss, nullptr);
  struct sigaction sa {};
  sa.sa_sigaction = &on_fault;
  sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigaction(SIGSEGV, &sa, nullptr);
  std::atexit(&cudasim::at_exit);
}
Runtime& rt() {
  static Runtime* r = new Runtime;
  return *r;
}

// Device memory is readable only while a device operation runs.
// Only the part in use is switched (whole MiB, so that growing is rare): the price is per touched page.
std::size_t guarded() { return (rt().dev_top + (1 << 20)) & ~((std::size_t(1) << 20) - 1); }
struct Open {
  Open() {
    if (rt().opt.guard && rt().open++ == 0) mprotect(rt().base, guarded(), PROT_READ | PROT_WRITE);
  }
  ~Open() {
    if (rt().opt.guard && --rt().open == 0) mprotect(rt().base, guarded(), PROT_NONE);
  }
};
void Runtime::on_fault(int, siginfo_t* si, void* uc) {
  const void* pc = nullptr;
#if defined(__x86_64__)
  pc = (void*)((ucontext_t*)uc)->uc_mcontext.gregs[REG_RIP];
#endif
  pc = (const char*)pc + 1;
  if (on_fiber_stack((std::uintptr_t)si->si_addr))
    report("fiber-stack", "a kernel thread overflowed its 64 KiB stack", pc);
  else if (in_arena(si->si_addr))
    report(in_kernel() ? "out-of-bounds" : "host-access",
           (in_kernel() ? "kernel touches " : "host code touches ") + describe(si->si_addr), pc);
  else
    report(in_kernel() ? "out-of-bounds" : "segfault", "access to unmapped memory", pc);
  std::fflush(nullptr);
  _exit(86);
}
CUstream_st* get(cudaStream_t s) { return (s == nullptr || s == cudaStreamLegacy) ? rt().streams[NULL_STREAM] : s; }
bool runnable(const Op& op) {
  for (std::size_t i = 1; i < op.clock.v.size(); ++i)
    if (int(i) != op.stream && rt().done[i] < op.clock[i]) return false;
  return true;
}
// Run one op, chosen at random among the heads that `target` needs.
Step step(const Clock& target) {
  auto& r = rt();
  std::vector<CUstream_st*> can;
  bool waiting = false;
  for (std::size_t i = 1; i < r.streams.size(); ++i) {
    auto* s = r.streams[i];
    if (s->queue.empty() || s->queue.front().seq > target[i] || !runnable(s->queue.front())) continue;
    Op& op = s->queue.front();
    if (op.poll) {
      Open o;
      r.running = &op;
      bool ok = op.poll();
      r.running = nullptr;
      if (!ok) {
        waiting = true;
        continue;
      }
    }
    can.push_back(s);
  }
  if (can.empty()) return waiting ? Step::waiting : Step::nothing;
  auto* s = can[r.opt.order == 2 ? rnd() % can.size() : r.opt.order == 1 ? can.size() - 1 : 0];
  Op op = std::move(s->queue.front());
  s->queue.pop_front();
  r.running = &op;
  if (r.stick == cudaSuccess) {
    Open o;
    op.run();
  }  // after a fault nothing runs any more, as on the device
  r.running = nullptr;
  r.done[op.stream] = op.seq;
  return Step::ran;
}
bool reached(const Clock& t) {
  for (std::size_t i = 1; i < t.v.size(); ++i)
    if (rt().done[i] < t.v[i]) return false;
  return true;
}
void run_until(const Clock& t) {
  Open o;
  while (!reached(t)) {
    Step s = step(t);
    if (s == Step::nothing) {
      report("deadlock", "streams wait for each other");
      std::abort();
    }
    if (s == Step::waiting) usleep(50);
  }
}
void host_waits(const Clock& t) {
  run_until(t);
  rt().host.merge(t);
  rt().host.set(HOST, rt().host[HOST] + 1);
}
Clock everything() {
  Clock c;
  for (auto* s : rt().streams) c.merge(s->clock);
  return c;
}
cudaError_t ret(cudaError_t e) {
  if (e == cudaSuccess) e = rt().stick;
  if (e != cudaSuccess) rt().last = e;
  return e;
}
void check_redzone(const Alloc& a) {
  Open o;
  for (std::size_t i = 0; i < kRed; ++i)
    if (((unsigned char*)a.base)[a.size + i] != 0xbd) {
      report("out-of-bounds", "the bytes behind allocation #" + std::to_string(a.id) + " (" + std::to_string(a.size) +
                                  " bytes) were overwritten");
      break;
    }
}
cudaError_t allocate(void** p, std::size_t n, bool pinned) {
  auto& r = rt();
  if (!p) return ret(cudaErrorInvalidValue);
  if (illegal_in_capture(pinned ? "cudaMallocHost" : "cudaMalloc", true)) return ret(cudaErrorStreamCaptureUnsupported);
  if (n == 0) {
    *p = nullptr;
    return ret();
  }
  std::size_t room = (n + kRed + 255) / 256 * 256;
  std::uintptr_t a = 0;
  bool fresh = true;
  auto& fl = r.freelist[pinned];
  auto it = fl.find(room);
  if (it != fl.end() && it->second.size() > 64) {  // reuse late, so that stale pointers keep hitting freed memory
    a = it->second.front();
    it->second.erase(it->second.begin());
    fresh = false;
  } else {
    std::size_t& top = pinned ? r.pin_top : r.dev_top;
    if (top + room > (pinned ? kDevice + kPinned : kDevice)) return ret(cudaErrorMemoryAllocation);
    a = (std::uintptr_t)r.base + top;
    top += room;
  }
  Alloc al{a, n, ++r.alloc_ids, false, pinned};
  r.allocs[a] = al;
  Open o;
  std::memset((void*)a, 0xff, n);  // poison: NaN as float, -1 as int
  std::memset((char*)a + n, 0xbd, kRed);
  shadow_alloc(a, n, fresh);
  *p = (void*)a;
  return ret();
}
void release(Alloc& a) {
  check_redzone(a);
  a.freed = true;
  {
    Open o;
    std::memset((void*)a.base, 0xdd, a.size);
  }
  shadow_free(a.base, a.size);
  rt().freelist[a.pinned][(a.size + kRed + 255) / 256 * 256].push_back(a.base);
}
cudaError_t free_(void* p, bool pinned) {
  if (!p) return ret();
  if (illegal_in_capture("cudaFree", true)) return ret(cudaErrorStreamCaptureUnsupported);
  auto it = rt().allocs.find((std::uintptr_t)p);
  if (it == rt().allocs.end() || it->second.freed || it->second.pinned != pinned) {
    report("bad-free", "free of " + describe(p), __builtin_return_address(0));
    return ret(cudaErrorInvalidValue);
  }
  run_until(everything());  // the real call waits for the device too
  release(it->second);
  return ret();
}
void at_exit() {
  auto& r = rt();
  for (auto& [b, a] : r.allocs)
    if (!a.freed) check_redzone(a);
  std::size_t pending = 0;
  for (auto* s : r.streams) pending += s->queue.size();
  if (pending) std::fprintf(stderr, "cudasim: note: %zu operations were enqueued and never waited for\n", pending);
  if (!reports().empty()) {
    std::fprintf(stderr, "cudasim: %zu finding(s): failing the process\n", reports().size());
    std::fflush(nullptr);
    _exit(86);
  }
}
Options& options() { return rt().opt; }
Stats stats() { return counters; }
cudaError_t sticky() { return rt().stick; }
void set_sticky(cudaError_t e) {
  if (rt().stick == cudaSuccess) rt().stick = e;
}
const Op* current_op() { return rt().running; }
const OpInfo& op_info(std::uint32_t id) { return rt().ops[id]; }
std::uint32_t host_op() {
  auto& r = rt();
  if (r.host_op_seq != r.host[HOST]) {
    r.host_op_seq = r.host[HOST];
    r.host_op_id = r.ops.size();
    r.ops.push_back({HOST, r.host_op_seq, "host code"});
  }
  return r.host_op_id;
}
bool happens_before(std::uint32_t id) {
  const OpInfo& o = rt().ops[id];
  if (const Op* c = rt().running) return o.stream == c->stream ? o.seq <= c->seq : c->clock[o.stream] >= o.seq;
  return o.stream == HOST || rt().host[o.stream] >= o.seq;
}
void* arena_base() { return rt().base; }
std::size_t arena_size() { return kDevice + kPinned; }
bool in_arena(const void* p) { return std::size_t((const char*)p - rt().base) < kDevice; }
bool in_pinned(const void* p) { return std::size_t((const char*)p - rt().base) - kDevice < kPinned; }
const Alloc* find_alloc(const void* p) {
  auto it = rt().allocs.upper_bound((std::uintptr_t)p);
  return it == rt().allocs.begin() ? nullptr : &std::prev(it)->second;
}
std::string describe(const void* p) {
  const Alloc* a = (in_arena(p) || in_pinned(p)) ? find_alloc(p) : nullptr;
  if (!a) return "memory that no CUDA call allocated";
  std::size_t off = (std::uintptr_t)p - a->base;
  std::string s = std::string(a->pinned ? "pinned" : "device") + " allocation #" + std::to_string(a->id) + " (" +
                  std::to_string(a->size) + " bytes" + (a->freed ? ", freed)" : ")");
  return off < a->size ? s + " at offset " + std::to_string(off)
                       : s + ", " + std::to_string(off - a->size) + " bytes behind its end";
}
bool lib_access(const char* who, const void* p, std::size_t n, bool write) {
  if (n == 0) return true;
  const Alloc* a = (in_arena(p) || in_pinned(p)) ? find_alloc(p) : nullptr;
  if (!a) {
    report("host-pointer", std::string(who) + " was given a pointer that is not device memory");
    set_sticky(cudaErrorIllegalAddress);
    return false;
  }
  if (a->freed || (std::uintptr_t)p + n > a->base + a->size) {
    report(a->freed ? "use-after-free" : "out-of-bounds",
           std::string(who) + (write ? " writes " : " reads ") + std::to_string(n) + " bytes from " + describe(p));
    set_sticky(cudaErrorIllegalAddress);
    return false;
  }
  shadow_range((std::uintptr_t)p, n, write);
  return true;
}
void enqueue(cudaStream_t st, const char* name, std::function<void()> run, std::function<bool()> poll) {
  auto& r = rt();
  CUstream_st* s = get(st);
  if (captured(s, name, run, !poll)) return;
  if (std::strcmp(name, "kernel") != 0) count_launch(name, nullptr);
  Op op;
  op.name = name;
  op.stream = s->index;
  op.run = std::move(run);
  op.poll = std::move(poll);
  op.clock = s->clock;
  op.clock.merge(r.host);
  if (s->index == NULL_STREAM) {
    for (auto* o : r.streams)
      if (o->blocking) op.clock.merge(o->clock);
  } else if (s->blocking)
    op.clock.merge(r.streams[NULL_STREAM]->clock);
  op.seq = ++s->seq;
  op.clock.set(s->index, op.seq);
  s->clock = op.clock;
  op.id = r.ops.size();
  r.ops.push_back({op.stream, op.seq, name});
  r.host.set(HOST, r.host[HOST] + 1);
  s->queue.push_back(std::move(op));
  if (!r.opt.lazy) run_until(s->clock);
}
void drain_all() { run_until(everything()); }
bool progress() { return step(everything()) == Step::ran; }  // used by the MPI progress layer
void wait_stream(cudaStream_t s) { host_waits(get(s)->clock); }

namespace {
std::map<const void*, int> shared_allowed;  // by kernel: dynamic bytes that it may have
}
void allow_shared(const void* kernel, int bytes) { shared_allowed[kernel] = bytes; }
cudaError_t launch(const cudaLaunchConfig_t& cfg, Call call) {
  dim3 g = cfg.gridDim, b = cfg.blockDim;
  std::size_t smem = cfg.dynamicSmemBytes;
  std::uint64_t nt = std::uint64_t(b.x) * b.y * b.z;
  if (!nt || nt > 1024 || b.z > 64 || !g.x || !g.y || !g.z || g.y > 65535 || g.z > 65535 || smem > 227 * 1024 ||
      (smem && smem > dyn_cap)) {
    report("launch", "a grid or block that no GPU takes: " + std::to_string(g.x) + "," + std::to_string(g.y) + "," +
                         std::to_string(g.z) + " blocks of " + std::to_string(nt) + " threads, " +
                         std::to_string(smem) + " bytes of shared memory");
    return ret(cudaErrorInvalidConfiguration);
  }
  if (smem > 48 * 1024 && shared_allowed[call.kernel] < int(smem)) {
    report("shared-memory", "a kernel takes more than 48 KiB of shared memory without cudaFuncSetAttribute");
    return ret(cudaErrorInvalidValue);
  }
  if (rt().stick != cudaSuccess) return ret();
  count_launch("", call.kernel);
  enqueue(cfg.stream, "kernel", [=] { run_grid(g, b, smem, call); });
  return ret();
}
}  // namespace cudasim

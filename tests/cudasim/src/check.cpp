// cudasim: findings, and the shadow memory behind them.
// A translation unit compiled with -fsanitize=thread calls __tsan_read4(addr) etc. at every load and store. We do not
// link libtsan: the hooks are defined here, and know CUDA's memory model (barrier epochs, atomics, stream clocks).
#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include "core.hpp"

namespace cudasim {
void note_atomic();
namespace {
std::vector<Report> found;
std::set<std::pair<std::string, const void*>> seen;
bool instrumented = false;

struct Access {  // who touched these bytes last
  std::uint32_t op = 0, block = 0, pc = 0;
  std::uint16_t thread = 0, bar = 0, warp_epoch = 0;
  std::uint8_t mask = 0, atomic = 0;
};
struct Cell {
  Access w, r1, r2;
};  // per 4 bytes: last write, two last reads by different threads
enum : std::uint8_t { ALLOCATED = 1, FREED = 2, WRITTEN = 4 };
constexpr std::uint32_t LIBRARY = 0xffffffffu;

Cell* cells = nullptr;           // of the device + pinned arena
std::uint8_t* states = nullptr;  // ALLOCATED/FREED/WRITTEN per 4 bytes
std::uintptr_t tls_lo = 0, tls_hi = 0, image_lo = 0, image_hi = 0;
std::vector<Cell> shared_cells;

template <class T>
T* reserve(std::size_t n) {
  void* p = mmap(nullptr, n * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) {
    std::perror("cudasim: shadow");
    std::abort();
  }
  return static_cast<T*>(p);
}
int main_image(dl_phdr_info* i, std::size_t, void*) {  // first callback = the executable
  for (int k = 0; k < i->dlpi_phnum; ++k) {
    const auto& ph = i->dlpi_phdr[k];
    if (ph.p_type == PT_TLS && i->dlpi_tls_data) {
      tls_lo = (std::uintptr_t)i->dlpi_tls_data;
      tls_hi = tls_lo + ph.p_memsz;
    }
    if (ph.p_type == PT_LOAD) {
      std::uintptr_t lo = i->dlpi_addr + ph.p_vaddr, hi = lo + ph.p_memsz;
      if (!image_lo || lo < image_lo) image_lo = lo;
      if (hi > image_hi) image_hi = hi;
    }
  }
  return 1;
}
void init_shadow() {
  if (states) return;
  states = reserve<std::uint8_t>(arena_size() / 4);
  cells = reserve<Cell>(arena_size() / 4);
  dl_iterate_phdr(main_image, nullptr);
  shared_cells.resize((tls_hi - tls_lo) / 4 + 2);
}
// Did `p` happen before the access running now (by `me`)?
bool ordered(const Access& p, const Access& me) {
  if (p.op != me.op) return happens_before(p.op);
  if (p.block == me.block) {
    if (p.thread == me.thread) return true;
    if (p.bar != me.bar) return true;                                        // a __syncthreads lies between
    return p.thread / 32 == me.thread / 32 && me.warp_epoch > p.warp_epoch;  // a __syncwarp lies between
  }
  return block_released(p.block) && block_acquired();  // "last block done": fence + atomic there, atomic here
}
std::string who(const Access& a) {
  std::string s = op_info(a.op).name;
  if (a.op && a.block != LIBRARY && op_info(a.op).stream != HOST)
    s += " block " + std::to_string(a.block) + " thread " + std::to_string(a.thread);
  if (a.pc) s += " at " + symbol((void*)(image_lo + a.pc));
  return s;
}
void touch(Cell& c, const Access& me, bool write, bool shared, std::uintptr_t addr, const void* pc) {
  auto clash = [&](const Access& p) {
    if (!p.op || !(p.mask & me.mask) || (p.atomic && me.atomic)) return false;
    if (shared && (p.op != me.op || p.block != me.block)) return false;  // another block's shared memory
    return !ordered(p, me);
  };
  const Access* bad = clash(c.w) ? &c.w : !write ? nullptr : clash(c.r1) ? &c.r1 : clash(c.r2) ? &c.r2 : nullptr;
  const char* kind = !bad ? "" : bad->op != me.op ? "stream-race" : shared ? "shared-race" : "global-race";
  if (bad && !pc) pc = op_info(me.op).name;  // a library call: one finding per kind of call (never symbolised)
  if (bad && !seen.count({kind, pc})) {
    report(kind,
           std::string(write ? "write" : "read") + " of " + (shared ? "shared memory" : describe((void*)addr)) +
               " by " + who(me) + " is not ordered after the " + (bad == &c.w ? "write" : "read") + " by " + who(*bad),
           pc);
  }
  if (write) {
    c.w = me;
    c.r1 = c.r2 = Access{};
    return;
  }
  if (c.r1.op == me.op && c.r1.thread == me.thread && c.r1.block == me.block) {
    std::uint8_t m = c.r1.mask;
    c.r1 = me;
    c.r1.mask |= m;
  } else {
    c.r2 = c.r1;
    c.r1 = me;
  }
}
[[noreturn]] void kernel_fault(const char* kind, const std::string& text, const void* pc) {
  report(kind, text, pc);
  set_sticky(cudaErrorIllegalAddress);
  abort_block();
}
void access(std::uintptr_t a, std::size_t n, bool write, bool atomic, const void* pc) {
  ++counters.accesses;
  const bool kernel = in_kernel();
  if (kernel && on_fiber_stack(a)) return;
  const bool arena = in_arena((void*)a) || in_pinned((void*)a);
  if (!kernel && !arena) return;
  init_shadow();
  Access me;
  me.pc = std::uint32_t((std::uintptr_t)pc - image_lo);
  me.atomic = atomic;
  if (kernel) {
    ThreadId t = current_thread();
    me.op = current_op()->id;
    me.block = t.block;
    me.thread = t.thread;
    me.bar = t.bar;
    me.warp_epoch = t.warp_epoch;
  } else
    me.op = host_op();
  const char* verb = write ? "writes " : "reads ";
  if (arena) {
    if (!kernel && in_arena((void*)a)) report("host-access", std::string("host code ") + verb + describe((void*)a), pc);
    if (kernel && a % n)
      kernel_fault("misaligned", std::string("kernel ") + verb + std::to_string(n) + " bytes at a misaligned address",
                   pc);
    std::size_t g0 = (a - (std::uintptr_t)arena_base()) / 4, g1 = (a + n - 1 - (std::uintptr_t)arena_base()) / 4;
    for (std::size_t g = g0; g <= g1; ++g) {
      if (kernel && !(states[g] & ALLOCATED))
        kernel_fault(states[g] & FREED ? "use-after-free" : "out-of-bounds",
                     std::string("kernel ") + verb + describe((void*)a), pc);
      if (!write && kernel && options().initcheck && !(states[g] & WRITTEN))
        report("uninitialised", "kernel reads never-written " + describe((void*)a), pc);
      if (write) states[g] |= WRITTEN;
      std::uintptr_t lo = (std::uintptr_t)arena_base() + g * 4;
      me.mask = 0;
      for (int b = 0; b < 4; ++b)
        if (lo + b >= a && lo + b < a + n) me.mask |= 1u << b;
      touch(cells[g], me, write, false, a, pc);
    }
  } else if (a - tls_lo < tls_hi - tls_lo) {
    if (dyn_base && a - dyn_base < dyn_cap && a + n > dyn_base + dynamic_smem_bytes())
      kernel_fault("out-of-bounds",
                   std::string("kernel ") + verb + "dynamic shared memory at byte " + std::to_string(a - dyn_base) +
                       " of " + std::to_string(dynamic_smem_bytes()),
                   pc);
    for (std::size_t g = (a - tls_lo) / 4; g <= (a + n - 1 - tls_lo) / 4; ++g) {
      me.mask = 0;
      for (int b = 0; b < 4; ++b)
        if (tls_lo + g * 4 + b >= a && tls_lo + g * 4 + b < a + n) me.mask |= 1u << b;
      Cell& c = shared_cells[g];
      if (!write && (c.w.op != me.op || c.w.block != me.block) && !(dyn_base && a - dyn_base < dyn_cap && false))
        report("uninitialised", "kernel reads shared memory that this block has not written", pc);
      touch(c, me, write, true, a, pc);
    }
  } else if (!(a >= image_lo && a < image_hi) && !is_argument(a)) {
    kernel_fault("host-pointer", std::string("kernel ") + verb + "host memory", pc);
  }  // else: __device__ / __constant__ variable or a constant table
}
}  // namespace

bool checked() { return instrumented; }
const std::vector<Report>& reports() { return found; }
void clear_reports() {
  found.clear();
  seen.clear();
}
std::string symbol(const void* pc) {  // file:line of the first frame that is not a header; only called for findings
  if (!pc) return "?";
  init_shadow();
  static std::map<const void*, std::string> cache;
  std::string& out = cache[pc];
  if (!out.empty()) return out;
  if ((std::uintptr_t)pc - image_lo >= image_hi - image_lo) return out = "?";
  char cmd[4200], exe[4096], line[1024];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  exe[n > 0 ? n : 0] = 0;
  std::snprintf(cmd, sizeof cmd, "addr2line -i -e '%s' 0x%zx 2>/dev/null", exe,
                (std::size_t)((std::uintptr_t)pc - 1 - image_lo));
  if (FILE* f = popen(cmd, "r")) {
    while (std::fgets(line, sizeof line, f)) {
      line[std::strcspn(line, "\n ")] = 0;
      bool header = std::strstr(line, "cudasim/include/") || std::strstr(line, "/include/c++/");
      if (out.empty() || !header) {
        const char* b = std::strrchr(line, '/');
        out = b ? b + 1 : line;
      }
      if (!header) break;
    }
    pclose(f);
  }
  if (out.empty()) out = "?";
  return out;
}
void report(const char* kind, const std::string& text, const void* pc) {
  if (!seen.insert({pc ? kind : kind + (": " + text), pc}).second) return;
  found.push_back({kind, text + (pc ? "  [" + symbol(pc) + "]" : "")});
  std::fprintf(stderr, "cudasim: %s: %s\n", kind, found.back().text.c_str());
}
void shadow_alloc(std::uintptr_t a, std::size_t n, bool fresh) {
  if (!instrumented || !n) return;
  init_shadow();
  std::size_t g = (a - (std::uintptr_t)arena_base()) / 4, k = (n + 3) / 4;
  std::memset(states + g, ALLOCATED, k);
  if (!fresh)
    for (std::size_t i = 0; i < k; ++i) cells[g + i] = Cell{};
}
void shadow_free(std::uintptr_t a, std::size_t n) {
  if (!instrumented || !n) return;
  std::memset(states + (a - (std::uintptr_t)arena_base()) / 4, FREED, (n + 3) / 4);
}
void shadow_range(std::uintptr_t a, std::size_t n, bool write) {  // a library call touches a whole range
  if (!instrumented || !n) return;
  init_shadow();
  Access me;
  me.op = current_op() ? current_op()->id : host_op();
  me.block = LIBRARY;
  std::uintptr_t b = (std::uintptr_t)arena_base();
  for (std::size_t g = (a - b) / 4; g <= (a + n - 1 - b) / 4; ++g) {
    me.mask = 15;
    if (write) states[g] |= WRITTEN;
    touch(cells[g], me, write, false, b + g * 4, nullptr);
  }
}
void shadow_new_block() {}  // nothing to clear: cells carry (op, block)
void atomic_access(void* p, std::size_t n) {
  note_atomic();
  if (instrumented) access((std::uintptr_t)p, n, true, true, __builtin_return_address(0));
}
}  // namespace cudasim

// ---- the compiler's hooks ------------------------------------------------------------------------------------
#define PC __builtin_return_address(0)
#define RW(n)                                                                                         \
  void __tsan_read##n(void* a) { cudasim::access((std::uintptr_t)a, n, false, false, PC); }           \
  void __tsan_write##n(void* a) { cudasim::access((std::uintptr_t)a, n, true, false, PC); }           \
  void __tsan_unaligned_read##n(void* a) { cudasim::access((std::uintptr_t)a, n, false, false, PC); } \
  void __tsan_unaligned_write##n(void* a) { cudasim::access((std::uintptr_t)a, n, true, false, PC); }
extern "C" {
RW(1) RW(2) RW(4) RW(8) RW(16) void __tsan_read_range(void* a, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) cudasim::access((std::uintptr_t)a + i, 1, false, false, PC);
}
void __tsan_write_range(void* a, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) cudasim::access((std::uintptr_t)a + i, 1, true, false, PC);
}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_init() { cudasim::instrumented = true; }
// -fsanitize=alignment,bounds: the handlers' data starts with the source location
struct UbLocation {
  const char* file;
  unsigned line, column;
};
static void ub(const char* kind, const char* text, const UbLocation* at) {
  if (!cudasim::in_kernel()) return;
  const char* b = std::strrchr(at->file, '/');
  cudasim::report(kind, std::string(text) + "  [" + (b ? b + 1 : at->file) + ":" + std::to_string(at->line) + "]");
}
void __ubsan_handle_type_mismatch_v1(void* d, void*) {
  ub("misaligned", "kernel uses a misaligned address", (UbLocation*)d);
}
void __ubsan_handle_out_of_bounds(void* d, void*) {
  ub("out-of-bounds", "kernel indexes past an array of known size", (UbLocation*)d);
}
// std::atomic / shared_ptr in instrumented host code: forward to the real builtins
#define AT(bits, T)                                                                                  \
  T __tsan_atomic##bits##_load(const volatile T* p, int) { return __atomic_load_n(p, 5); }           \
  void __tsan_atomic##bits##_store(volatile T* p, T v, int) { __atomic_store_n(p, v, 5); }           \
  T __tsan_atomic##bits##_exchange(volatile T* p, T v, int) { return __atomic_exchange_n(p, v, 5); } \
  T __tsan_atomic##bits##_fetch_add(volatile T* p, T v, int) { return __atomic_fetch_add(p, v, 5); } \
  T __tsan_atomic##bits##_fetch_sub(volatile T* p, T v, int) { return __atomic_fetch_sub(p, v, 5); } \
  T __tsan_atomic##bits##_fetch_or(volatile T* p, T v, int) { return __atomic_fetch_or(p, v, 5); }   \
  T __tsan_atomic##bits##_fetch_and(volatile T* p, T v, int) { return __atomic_fetch_and(p, v, 5); } \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* p, T* e, T v, int, int) {            \
    return __atomic_compare_exchange_n(p, e, v, false, 5, 5);                                        \
  }
AT(8, char) AT(16, short) AT(32, int) AT(64, long)
}

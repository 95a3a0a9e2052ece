// cudasim: NCCL between processes. Each collective is one file per rank in /dev/shm: posted with an atomic rename when
// the op becomes runnable, complete when all ranks' files are there. No rank ever needs another one's attention.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <fcntl.h>
#include <nccl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core.hpp"

struct ncclComm {
  std::string token;
  int n = 1, rank = 0;
  std::uint64_t seq = 0;
  bool aborted = false;
};
namespace {
using namespace cudasim;
struct Head {
  std::uint64_t count;
  int op, type, red, root;
};
std::string path(const ncclComm& c, std::uint64_t seq, int rank) {
  return "/dev/shm/" + c.token + "-" + std::to_string(seq) + "-" + std::to_string(rank);
}
std::size_t width(ncclDataType_t t) {
  return t == ncclFloat64 || t == ncclInt64 || t == ncclUint64 ? 8
         : t == ncclFloat16 || t == ncclBfloat16               ? 2
         : t == ncclInt8 || t == ncclUint8                     ? 1
                                                               : 4;
}
// CUDASIM_NCCL_FAIL=RANK:N: this rank's Nth collective never ends, and its communicator has an error.
bool fails(const ncclComm& c, std::uint64_t seq) {
  static const char* const text = std::getenv("CUDASIM_NCCL_FAIL");
  int rank = -1;
  unsigned long long first = 0;
  return text && std::sscanf(text, "%d:%llu", &rank, &first) == 2 && rank == c.rank && seq >= first;
}
bool post(const ncclComm& c, std::uint64_t seq, const Head& h, const void* data, std::size_t bytes) {
  std::string p = path(c, seq, c.rank), tmp = p + ".tmp";
  FILE* f = std::fopen(tmp.c_str(), "wb");
  if (!f) return false;
  std::fwrite(&h, sizeof h, 1, f);
  if (bytes) std::fwrite(data, 1, bytes, f);
  std::fclose(f);
  return std::rename(tmp.c_str(), p.c_str()) == 0;
}
std::vector<char> fetch(const ncclComm& c, std::uint64_t seq, int rank) {
  std::vector<char> v;
  if (FILE* f = std::fopen(path(c, seq, rank).c_str(), "rb")) {
    std::fseek(f, 0, SEEK_END);
    v.resize(std::ftell(f));
    std::rewind(f);
    if (std::fread(v.data(), 1, v.size(), f) != v.size()) v.clear();
    std::fclose(f);
  }
  return v;
}
bool all_here(const ncclComm& c, std::uint64_t seq) {
  struct stat st;
  for (int r = 0; r < c.n; ++r)
    if (stat(path(c, seq, r).c_str(), &st) != 0) return false;
  return true;
}
template <class T>
void fold(T* a, const T* b, std::size_t n, ncclRedOp_t op) {
  for (std::size_t i = 0; i < n; ++i)
    a[i] = op == ncclMax    ? (b[i] > a[i] ? b[i] : a[i])
           : op == ncclMin  ? (b[i] < a[i] ? b[i] : a[i])
           : op == ncclProd ? T(a[i] * b[i])
                            : T(a[i] + b[i]);
}
void fold_any(void* a, const void* b, std::size_t n, ncclDataType_t t, ncclRedOp_t op) {
  switch (t) {
    case ncclFloat32:
      return fold((float*)a, (const float*)b, n, op);
    case ncclFloat64:
      return fold((double*)a, (const double*)b, n, op);
    case ncclInt32:
      return fold((int*)a, (const int*)b, n, op);
    case ncclInt64:
      return fold((long long*)a, (const long long*)b, n, op);
    case ncclBfloat16:
      for (std::size_t i = 0; i < n; ++i) {
        float x = __bfloat162float(((__nv_bfloat16*)a)[i]), y = __bfloat162float(((const __nv_bfloat16*)b)[i]);
        fold(&x, &y, 1, op);
        ((__nv_bfloat16*)a)[i] = __float2bfloat16(x);
      }
      return;
    default:
      report("nccl", "data type not emulated");
  }
}
enum { ALL_REDUCE, BROADCAST, ALL_GATHER, REDUCE };
struct Collective {
  Head head;
  ncclDataType_t type;
  ncclRedOp_t reduction;
  const void* send;
  void* recv;
  std::size_t bytes;  // of one rank
  ncclComm_t comm;
  std::uint64_t seq;
};

void finish(const Collective& k) {
  const Head& h = k.head;
  if (k.comm->aborted) return;
  const std::size_t out = h.op == ALL_GATHER                              ? k.bytes * k.comm->n
                          : h.op == REDUCE && k.comm->rank != k.head.root ? 0
                                                                          : k.bytes;
  if (sticky() != cudaSuccess || !lib_access("NCCL receive buffer", k.recv, out, true)) return;
  std::vector<char> acc;
  for (int r = 0; r < k.comm->n; ++r) {
    std::vector<char> v = fetch(*k.comm, k.seq, r);
    Head other;
    std::memcpy(&other, v.data(), sizeof other);
    if (std::memcmp(&other, &h, sizeof other) != 0) {
      report("nccl-mismatch", "rank " + std::to_string(k.comm->rank) + " and rank " + std::to_string(r) +
                                  " call different collectives (kind, count, type, op or root)");
      set_sticky(cudaErrorLaunchFailure);
      return;
    }
    char* d = v.data() + sizeof other;
    if (h.op == ALL_GATHER) {
      acc.insert(acc.end(), d, d + k.bytes);
    } else if (h.op == BROADCAST ? r == h.root : r == 0) {
      acc.assign(d, d + k.bytes);
    } else if (h.op == ALL_REDUCE || h.op == REDUCE) {
      fold_any(acc.data(), d, h.count, k.type, k.reduction);
    }
  }
  if (h.op == ALL_REDUCE && k.reduction == ncclAvg) report("nccl", "ncclAvg is not emulated");
  if (out > 0) std::memcpy(k.recv, acc.data(), acc.size());
  // everyone has posted seq, so everyone has read seq-1
  if (k.seq > 1) unlink(path(*k.comm, k.seq - 1, k.comm->rank).c_str());
}

ncclResult_t collective(int kind, const void* send, void* recv, std::size_t n, ncclDataType_t t, ncclRedOp_t red,
                        int root, ncclComm_t c, cudaStream_t s) {
  const Collective k{{n, kind, int(t), int(red), root}, t, red, send, recv, n * width(t), c, ++c->seq};
  auto posted = std::make_shared<bool>(false);
  auto since = std::make_shared<std::chrono::steady_clock::time_point>();
  auto poll = [=]() -> bool {
    if (c->aborted) return true;
    if (fails(*c, k.seq)) return false;
    if (!*posted) {
      if (!lib_access("NCCL send buffer", send, k.bytes, false)) return true;
      post(*c, k.seq, k.head, send, k.bytes);
      *posted = true;
      *since = std::chrono::steady_clock::now();
    }
    if (all_here(*c, k.seq)) return true;
    static const int limit = std::getenv("CUDASIM_NCCL_TIMEOUT") ? std::atoi(std::getenv("CUDASIM_NCCL_TIMEOUT")) : 60;
    if (std::chrono::steady_clock::now() - *since > std::chrono::seconds(limit)) {
      report("nccl-hang",
             "rank " + std::to_string(c->rank) + ": collective " + std::to_string(k.seq) + " never got all ranks");
      std::fflush(nullptr);
      _exit(86);
    }
    return false;
  };
  const char* names[] = {"ncclAllReduce", "ncclBroadcast", "ncclAllGather", "ncclReduce"};
  enqueue(
      s, names[kind], [=] { finish(k); }, poll);
  return ncclSuccess;
}
}  // namespace
extern "C" {
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::memset(id, 0, sizeof *id);
  std::snprintf(id->internal, sizeof id->internal, "cudasim-%d-%llx", int(getpid()),
                (unsigned long long)std::chrono::steady_clock::now().time_since_epoch().count());
  return ncclSuccess;
}
ncclResult_t ncclCommInitRank(ncclComm_t* c, int n, ncclUniqueId id, int rank) {
  *c = new ncclComm{id.internal, n, rank, 0};
  post(**c, 0, Head{}, nullptr, 0);
  while (!all_here(**c, 0)) usleep(200);
  return ncclSuccess;
}
ncclResult_t ncclCommDestroy(ncclComm_t c) {
  drain_all();
  for (std::uint64_t k :
       {c->seq + 1, c->seq + 2}) {  // "all done", then "I have seen that": rank 0 may then remove the files
    post(*c, k, Head{}, nullptr, 0);
    if (k == c->seq + 1 || c->rank == 0)
      while (!all_here(*c, k)) usleep(200);
  }
  if (c->rank == 0)
    for (int r = 0; r < c->n; ++r)
      for (std::uint64_t k : {std::uint64_t(0), c->seq, c->seq + 1, c->seq + 2}) unlink(path(*c, k, r).c_str());
  delete c;
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t c) {  // waits for nobody
  c->aborted = true;
  for (std::uint64_t k = 0; k <= c->seq; ++k) unlink(path(*c, k, c->rank).c_str());
  return ncclSuccess;  // operations that are still enqueued point to it
}
ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}
ncclResult_t ncclCommCount(ncclComm_t c, int* n) {
  *n = c->n;
  return ncclSuccess;
}
ncclResult_t ncclCommUserRank(ncclComm_t c, int* r) {
  *r = c->rank;
  return ncclSuccess;
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t c, ncclResult_t* e) {
  if (c->aborted) report("nccl", "a communicator is asked for its error after it was aborted");
  *e = fails(*c, c->seq) ? ncclSystemError : ncclSuccess;
  return ncclSuccess;
}
ncclResult_t ncclGroupStart() { return ncclSuccess; }
ncclResult_t ncclGroupEnd() { return ncclSuccess; }
const char* ncclGetErrorString(ncclResult_t) { return "nccl (emulated)"; }
ncclResult_t ncclAllReduce(const void* s, void* r, size_t n, ncclDataType_t t, ncclRedOp_t op, ncclComm_t c,
                           cudaStream_t st) {
  return collective(ALL_REDUCE, s, r, n, t, op, 0, c, st);
}
ncclResult_t ncclReduce(const void* s, void* r, size_t n, ncclDataType_t t, ncclRedOp_t op, int root, ncclComm_t c,
                        cudaStream_t st) {
  return collective(REDUCE, s, r, n, t, op, root, c, st);
}
ncclResult_t ncclBroadcast(const void* s, void* r, size_t n, ncclDataType_t t, int root, ncclComm_t c,
                           cudaStream_t st) {
  return collective(BROADCAST, s, r, n, t, ncclSum, root, c, st);
}
ncclResult_t ncclAllGather(const void* s, void* r, size_t n, ncclDataType_t t, ncclComm_t c, cudaStream_t st) {
  return collective(ALL_GATHER, s, r, n, t, ncclSum, 0, c, st);
}
}

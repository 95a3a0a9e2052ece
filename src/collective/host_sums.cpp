#include "collective/host_sums.h"

#include <sched.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "collective/mpi_call.h"

namespace wende {

namespace {

/// A sum goes in pieces with so much for each lane: what MPI sends in one go, while the next piece is added up.
constexpr size_t kPartFloats = size_t{256} << 10;
/// Shorter parts than this are not worth a lane.
constexpr size_t kLeastPart = 1024;
/// Of parameters in blocks of them, and of a cache line.
constexpr size_t kAlignment = 64;
/// How often a wait asks before it offers its core to others.
constexpr int kSpins = 200;

int number_in_environment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

int size_of(MPI_Comm comm) {
  int size = 0;
  MPI_Comm_size(comm, &size);
  return size;
}

int rank_in(MPI_Comm comm) {
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

int64_t smallest(int64_t value, MPI_Comm comm) {
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_MIN, comm), "MPI_Allreduce");
  return value;
}

MPI_Comm split(MPI_Comm comm, int color) {
  MPI_Comm part = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(comm, color, rank_in(comm), &part), "MPI_Comm_split");
  if (part != MPI_COMM_NULL) MPI_Comm_set_errhandler(part, MPI_ERRORS_RETURN);
  return part;
}

/// The ranks that share this one's memory, in the order of world.
MPI_Comm ranks_of_host(MPI_Comm world) {
  MPI_Comm real = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, rank_in(world), MPI_INFO_NULL, &real),
            "MPI_Comm_split_type");
  const int most = number_in_environment("WENDE_RANKS_PER_HOST", 0);
  MPI_Comm host = split(real, most > 0 ? rank_in(real) / most : 0);
  MPI_Comm_free(&real);
  return host;
}

/// What is left where MPI puts windows. A container's is small at times, and writing beyond it ends a process without
/// a word.
int64_t bytes_for_windows() {
  struct statvfs info = {};
  if (::statvfs("/dev/shm", &info) != 0) return 0;
  return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
}

}  // namespace

/// How many pieces of a rank are there, and how many it has summed. Only that rank writes them; one cache line each.
struct HostSums::Stage {
  alignas(64) std::atomic<uint64_t> ready{0};
  alignas(64) std::atomic<uint64_t> summed{0};
};

class HostSums::Pending : public PendingSum {
 public:
  Pending(HostSums& sums, uint64_t end) : sums_(sums), end_(end) {}
  ~Pending() override {
    if (sums_.summed_by_all() < end_) sums_.given_up_ = true;
  }
  void wait() override {
    const PhaseScope phase(phases::kAllReduce);
    for (int idle = 0; sums_.summed_by_all() < end_;) {
      idle = sums_.advance() ? 0 : idle + 1;
      if (idle > kSpins) ::sched_yield();
    }
  }
  bool done() override {
    sums_.advance();
    return sums_.summed_by_all() >= end_;
  }

 private:
  HostSums& sums_;
  uint64_t end_;  ///< done when so many pieces are summed
};

std::unique_ptr<HostSums> HostSums::make(MPI_Comm world) {
  if (size_of(world) == 1 || number_in_environment("WENDE_HOST_SUMS", 1) == 0) return nullptr;
  MPI_Comm host = ranks_of_host(world);
  const int64_t ranks = size_of(host);
  const auto lanes = static_cast<int>(smallest(ranks, world));
  if (-smallest(-ranks, world) == 1) {
    MPI_Comm_free(&host);
    return nullptr;
  }
  int64_t hosts = rank_in(host) == 0 ? 1 : 0;
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, &hosts, 1, MPI_INT64_T, MPI_SUM, world), "MPI_Allreduce");
  MPI_Comm between = split(world, rank_in(host) < lanes ? rank_in(host) : MPI_UNDEFINED);
  return std::unique_ptr<HostSums>(new HostSums(world, host, between, lanes, static_cast<int>(hosts)));
}

HostSums::HostSums(MPI_Comm world, MPI_Comm host, MPI_Comm between, int lanes, int hosts)
    : world_(world),
      host_(host),
      between_(between),
      rank_(rank_in(host)),
      size_(size_of(host)),
      lanes_(lanes),
      hosts_(hosts) {}

HostSums::~HostSums() {
  for (Memory& memory : memories_) MPI_Win_free(&memory.window);
  if (between_ != MPI_COMM_NULL) MPI_Comm_free(&between_);
  MPI_Comm_free(&host_);
}

std::string HostSums::description() const {
  if (refused_) return "by MPI (/dev/shm is too small for the gradients)";
  if (hosts_ == 1) return "in shared memory";
  return fmt::format("in shared memory on each of {} hosts, between them by MPI in {} part(s)", hosts_, lanes_);
}

std::byte* HostSums::memory(size_t bytes) {
  const int64_t all = static_cast<int64_t>(bytes) * size_;
  if (smallest(bytes_for_windows() - all, world_) < int64_t{1} << 20) {
    refused_ = true;
    return nullptr;
  }
  if (stages_.empty()) make_stages();
  memories_.push_back(open_window(bytes));
  return reinterpret_cast<std::byte*>(memories_.back().of_rank[static_cast<size_t>(rank_)]);
}

void HostSums::make_stages() {
  memories_.push_back(open_window(sizeof(Stage)));
  for (float* of_rank : memories_.back().of_rank) stages_.push_back(reinterpret_cast<Stage*>(of_rank));
  new (stages_[static_cast<size_t>(rank_)]) Stage;
  check_mpi(MPI_Barrier(host_), "MPI_Barrier");
}

/// Of each rank of the host so many bytes, at a multiple of kAlignment in every process: MPI's own places are not, but
/// lie at the same distance from a page in all of them.
HostSums::Memory HostSums::open_window(size_t bytes) const {
  MPI_Info info = MPI_INFO_NULL;
  MPI_Info_create(&info);
  MPI_Info_set(info, "alloc_shared_noncontig", "true");
  Memory memory = {MPI_WIN_NULL, bytes / sizeof(float), {}};
  void* own = nullptr;
  check_mpi(MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes + kAlignment), 1, info, host_, static_cast<void*>(&own),
                                    &memory.window),
            "MPI_Win_allocate_shared");
  MPI_Info_free(&info);
  for (int rank = 0; rank < size_; ++rank) {
    MPI_Aint size = 0;
    int unit = 0;
    void* base = nullptr;
    check_mpi(MPI_Win_shared_query(memory.window, rank, &size, &unit, static_cast<void*>(&base)),
              "MPI_Win_shared_query");
    auto space = static_cast<size_t>(size);
    std::align(kAlignment, 0, base, space);
    memory.floats = std::min(memory.floats, space / sizeof(float));
    memory.of_rank.push_back(static_cast<float*>(base));
  }
  return memory;
}

const HostSums::Memory* HostSums::find(const float* values) const {
  for (const Memory& memory : memories_) {
    const float* own = memory.of_rank[static_cast<size_t>(rank_)];
    if (values >= own && values < own + memory.floats) return &memory;
  }
  return nullptr;
}

/// What this rank adds up of `count` floats; nothing where they are too few for all lanes.
HostSums::Range HostSums::part(size_t begin, size_t count) const {
  if (rank_ >= lanes_) return {begin, begin};
  const auto lanes = static_cast<size_t>(lanes_);
  const size_t width = std::max(((count + lanes - 1) / lanes + 15) / 16 * 16, kLeastPart);
  const size_t first = std::min(count, width * static_cast<size_t>(rank_));
  return {begin + first, begin + std::min(count, first + width)};
}

std::unique_ptr<PendingSum> HostSums::start(float* values, size_t count) {
  const Memory* memory = find(values);
  if (memory == nullptr) throw internal_error("a sum of memory that the ranks do not share");
  const auto begin = static_cast<size_t>(values - memory->of_rank[static_cast<size_t>(rank_)]);
  if (begin + count > memory->floats) throw internal_error("a sum beyond the end of the ranks' memory");
  const size_t most = kPartFloats * static_cast<size_t>(lanes_);
  for (size_t done = 0; done < count; done += most) {
    pieces_.push_back({memory, part(begin + done, std::min(most, count - done)), MPI_REQUEST_NULL});
    ++ready_;
  }
  stages_[static_cast<size_t>(rank_)]->ready.store(ready_, std::memory_order_release);
  advance();
  return std::make_unique<Pending>(*this, ready_);
}

uint64_t HostSums::summed_by_all() const {
  uint64_t least = UINT64_MAX;
  for (size_t lane = 0; lane < static_cast<size_t>(lanes_); ++lane) {
    least = std::min(least, stages_[lane]->summed.load(std::memory_order_acquire));
  }
  return least;
}

/// Whether anything has moved.
bool HostSums::advance() {
  if (given_up_) return false;
  const bool moved = add_up();
  return finish_parts() || moved;
}

bool HostSums::add_up() {
  uint64_t ready = UINT64_MAX;
  for (const Stage* stage : stages_) ready = std::min(ready, stage->ready.load(std::memory_order_acquire));
  const bool moved = added_ < ready;
  for (; added_ < ready; ++added_) {
    Piece& piece = pieces_[added_ - summed_];
    add_part(piece);
    if (hosts_ > 1 && piece.part.end > piece.part.begin) {
      float* own = piece.memory->of_rank[static_cast<size_t>(rank_)];
      check_mpi(
          MPI_Iallreduce(MPI_IN_PLACE, own + piece.part.begin, static_cast<int>(piece.part.end - piece.part.begin),
                         MPI_FLOAT, MPI_SUM, between_, &piece.request),
          "MPI_Iallreduce");
    }
    finish_parts();
  }
  return moved;
}

/// The own part over the ranks of the host, always in their order; to all of them if nothing is to be added any more,
/// else just to this one.
void HostSums::add_part(const Piece& piece) const {
  constexpr size_t kBlock = 512;  // in the first cache while it is added up
  alignas(64) float sum[kBlock];
  const std::vector<float*>& of_rank = piece.memory->of_rank;
  for (size_t begin = piece.part.begin; begin < piece.part.end; begin += kBlock) {
    const size_t count = std::min(kBlock, piece.part.end - begin);
    const float* first = of_rank[0] + begin;
    const float* second = of_rank[size_ > 1 ? 1 : 0] + begin;
    for (size_t i = 0; i < count; ++i) sum[i] = size_ > 1 ? first[i] + second[i] : first[i];
    for (size_t rank = 2; rank < of_rank.size(); ++rank) {
      const float* more = of_rank[rank] + begin;
      for (size_t i = 0; i < count; ++i) sum[i] += more[i];
    }
    for (size_t rank = 0; rank < of_rank.size(); ++rank) {
      if (hosts_ == 1 || rank == static_cast<size_t>(rank_)) {
        std::memcpy(of_rank[rank] + begin, sum, count * sizeof(float));
      }
    }
  }
}

bool HostSums::finish_parts() {
  const uint64_t before = summed_;
  while (summed_ < added_) {
    const Piece& piece = pieces_.front();
    int finished = 1;  // MPI says so too where there is no request
    check_mpi(MPI_Test(&pieces_.front().request, &finished, MPI_STATUS_IGNORE), "MPI_Test of a sum");
    if (finished == 0) break;
    const std::vector<float*>& of_rank = piece.memory->of_rank;
    const float* own = of_rank[static_cast<size_t>(rank_)];
    for (float* other : of_rank) {
      if (hosts_ > 1 && other != own) {
        std::memcpy(other + piece.part.begin, own + piece.part.begin,
                    (piece.part.end - piece.part.begin) * sizeof(float));
      }
    }
    pieces_.pop_front();
    ++summed_;
    stages_[static_cast<size_t>(rank_)]->summed.store(summed_, std::memory_order_release);
  }
  return summed_ > before;
}

}  // namespace wende

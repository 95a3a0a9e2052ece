#pragma once

#include <type_traits>

#include "device/block_reduce.cuh"
#include "device/pack.cuh"

/// For CUDA sources: slices of tensors (rows, or along another axis), each worked on by a team of threads that hold
/// some numbers each in registers. A slice that fits is read once, and all its accesses are under way at the same time;
/// a longer one goes by chunks. What is added in which order follows from sizes and alignment alone.
namespace wende::cuda {

/// x [outer,size,inner]: outer * inner slices.
struct Slices {
  int64_t count = 1;
  int64_t size = 1;
  int64_t inner = 1;
};

/// Number i of a slice lies at begin + i * stride.
struct Slice {
  int64_t number;
  int64_t begin;
  int64_t size;  ///< 0 for teams that have none: they take part in what the block does together
  int64_t stride;
};

/// A team for a row: 32 threads, with others in the same block, or all threads of a block. Sizes that the compiler
/// knows make all addresses of a thread one address and constants.
template <int kTeamThreads>
struct RowTeam {
  static constexpr int kThreads = kTeamThreads;
  static constexpr int kTeams = kThreads == 32 ? 8 : 1;  ///< in a block
  static constexpr int kHeld = 16;
  static dim3 block() { return dim3(kThreads, kTeams); }
  __device__ static int rank() { return static_cast<int>(threadIdx.x); }
  __device__ static Slice slice(const Slices& all) {
    const int64_t row = int64_t{blockIdx.x} * kTeams + threadIdx.y;
    return {row, row * all.size, row < all.count ? all.size : 0, 1};
  }
  template <class F>
  __device__ static float reduce(float value, float neutral, F f) {
    return block_reduce(value, neutral, f);
  }
};

/// A team along another axis than the last: the threads of a block along y. Its 32 threads along x belong to
/// neighbouring slices, which lie beside each other in memory.
struct ColumnTeam {
  static constexpr int kThreads = 16;
  static constexpr int kTeams = 32;
  static constexpr int kHeld = 8;
  static dim3 block() { return dim3(kTeams, kThreads); }
  __device__ static int rank() { return static_cast<int>(threadIdx.y); }
  __device__ static Slice slice(const Slices& all) {
    const int64_t number = int64_t{blockIdx.x} * kTeams + threadIdx.x;
    const int64_t begin = number / all.inner * all.size * all.inner + number % all.inner;
    return {number, begin, number < all.count ? all.size : 0, all.inner};
  }
  template <class F>
  __device__ static float reduce(float value, float, F f) {
    __shared__ float parts[kThreads][kTeams];
    __syncthreads();  // an earlier call may still read `parts`
    parts[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    for (unsigned half = kThreads / 2; half > 0; half /= 2) {
      if (threadIdx.y < half) {
        parts[threadIdx.y][threadIdx.x] = f(parts[threadIdx.y][threadIdx.x], parts[threadIdx.y + half][threadIdx.x]);
      }
      __syncthreads();
    }
    return parts[0][threadIdx.x];
  }
};

/// At most 64 registers a thread, so that half of a multiprocessor's threads have accesses under way.
#define WENDE_TEAM_BOUNDS(Team) __launch_bounds__(Team::kThreads* Team::kTeams, 1024 / (Team::kThreads * Team::kTeams))

/// What a thread holds of a chunk of its slice. kWidth: 4 neighbours in each access, or 1.
template <class Team, int kWidth>
class HeldChunk {
 public:
  static constexpr int kSize = Team::kHeld * Team::kThreads;

  /// The chunk that begins at number `first` of the slice, without its numbers.
  __device__ void move(const Slice& slice, int64_t first) {
    begin_ = slice.begin + first * slice.stride;
    stride_ = slice.stride;
    count_ = static_cast<int>(slice.size - first < kSize ? slice.size - first : kSize);
  }
  __device__ void load(const Slice& slice, int64_t first, const float* x) {
    move(slice, first);
    for (int u = 0; u < kUnits; ++u) {
      if (place(u) < count_) units_[u] = *reinterpret_cast<const Unit*>(x + offset(u));
    }
  }
  __device__ void store(float* out) const {
    for (int u = 0; u < kUnits; ++u) {
      if (place(u) < count_) *reinterpret_cast<Unit*>(out + offset(u)) = units_[u];
    }
  }
  /// f(k, place): number k of this thread, which lies at `place` in the chunk.
  template <class F>
  __device__ void each(F f) const {
    for (int u = 0; u < kUnits; ++u) {
      if (place(u) >= count_) continue;
      for (int w = 0; w < kWidth; ++w) f(u * kWidth + w, place(u) + w);
    }
  }
  __device__ float& operator[](int k) { return units_[k / kWidth].at[k % kWidth]; }
  __device__ const float& operator[](int k) const { return units_[k / kWidth].at[k % kWidth]; }

 private:
  static constexpr int kUnits = Team::kHeld / kWidth;
  struct alignas(kWidth * sizeof(float)) Unit {
    float at[kWidth];
  };

  __device__ static int place(int u) { return (u * Team::kThreads + Team::rank()) * kWidth; }
  __device__ int64_t offset(int u) const { return begin_ + place(u) * stride_; }

  Unit units_[kUnits];
  int64_t begin_;
  int64_t stride_;
  int count_;
};

/// A team and the width of its accesses, as an argument.
template <class Team, int kWidth>
struct TeamChoice {
  static dim3 block() { return Team::block(); }
  static unsigned grid(const Slices& all) {
    return static_cast<unsigned>((all.count + Team::kTeams - 1) / Team::kTeams);
  }
};

/// Calls visit(TeamChoice) with what fits rows at these places.
template <class Visit, class... T>
void with_row_team(const Slices& rows, const Visit& visit, const T*... data) {
  const auto with_width = [&](auto width) {
    if (rows.size <= HeldChunk<RowTeam<32>, 1>::kSize) return visit(TeamChoice<RowTeam<32>, width()>());
    if (rows.size <= HeldChunk<RowTeam<128>, 1>::kSize) return visit(TeamChoice<RowTeam<128>, width()>());
    visit(TeamChoice<RowTeam<512>, width()>());
  };
  if (rows.size % kPack == 0 && (aligned_for_packs(data) && ...)) {
    with_width(std::integral_constant<int, kPack>());
  } else {
    with_width(std::integral_constant<int, 1>());
  }
}

/// The same for slices along any axis.
template <class Visit, class... T>
void with_team(const Slices& all, const Visit& visit, const T*... data) {
  if (all.inner > 1) return visit(TeamChoice<ColumnTeam, 1>());
  with_row_team(all, visit, data...);
}

}  // namespace wende::cuda

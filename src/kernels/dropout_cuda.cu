#include <vector>

#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
#include "kernels/dropout.h"
#include "kernels/random_place.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// What a kernel needs to number the elements of a tensor as the CPU does.
struct RandomFrames {
  int outer = 0;  ///< axes before the tail of fixed ones
  int64_t sizes[kMaxRank] = {};
  int64_t strides[kMaxRank] = {};  ///< elements from one index to the next
  cpu::RandomLayout::Axis kinds[kMaxRank] = {};
  int64_t tail = 1;
  int64_t fixed = 1;
  cpu::RandomRun run;  ///< step: nullptr where it does not count
  uint64_t blocks_per_step = 0;

  struct Element {
    Philox philox;
    uint64_t frame;
    int64_t number;
  };

  __device__ Philox in_this_run(const Philox& philox) const {
    return run.step == nullptr ? philox : philox.at_step(static_cast<uint64_t>(*run.step), blocks_per_step);
  }

  __device__ Element at(Philox philox, int64_t i) const {
    RandomPlace place;
    int64_t rest = i;
    for (int axis = 0; axis < outer; ++axis) {
      place.enter(kinds[axis], rest / strides[axis], sizes[axis]);
      rest %= strides[axis];
    }
    int64_t frame = place.frame;
    if (place.row >= 0) {
      auto id = static_cast<uint64_t>(place.row);
      const bool known = place.row < run.rows;
      for (int64_t p = known ? run.begins[place.row] : 0; known && p < run.begins[place.row + 1]; ++p) {
        if (run.pieces[2 * p + 1] <= place.frame) {
          id = static_cast<uint64_t>(run.pieces[2 * p]);
          frame = place.frame - run.pieces[2 * p + 1];
        }
      }
      philox = RandomPlace::keyed(philox, id);
    }
    return {philox, static_cast<uint64_t>(frame), place.first_element(fixed, tail) + rest};
  }
};

struct MaskOf {
  float keep;
  float value;
  __device__ float operator()(float u) const { return u + keep >= 1.0f ? value : 0.0f; }
};

struct RangeOf {
  float low;
  float range;
  __device__ float operator()(float u) const { return low + range * u; }
};

template <class F>
__global__ void __launch_bounds__(kThreads)
    uniform_kernel(RandomFrames frames, Philox start, F f, int64_t n, float* out) {
  const Philox philox = frames.in_this_run(start);
  for (const int64_t i : grid_range(n)) {
    const RandomFrames::Element element = frames.at(philox, i);
    const auto words = element.philox.block((element.frame << 32) + static_cast<uint64_t>(element.number / 4));
    out[i] = f(Philox::to_uniform(words[static_cast<size_t>(element.number % 4)]));
  }
}

/// Four neighbours, which share a block of random words.
template <class F>
__global__ void __launch_bounds__(kThreads)
    uniform_packs_kernel(RandomFrames frames, Philox start, F f, int64_t packs, float* out) {
  const Philox philox = frames.in_this_run(start);
  for (const int64_t i : grid_range(packs)) {
    const RandomFrames::Element element = frames.at(philox, i * kPack);
    const auto words = element.philox.block((element.frame << 32) + static_cast<uint64_t>(element.number / kPack));
    Pack<float> pack;
    for (int k = 0; k < kPack; ++k) pack.at[k] = f(Philox::to_uniform(words[static_cast<size_t>(k)]));
    store_pack(out + i * kPack, pack);
  }
}

__global__ void __launch_bounds__(kThreads)
    normal_kernel(RandomFrames frames, Philox start, float stddev, int64_t n, float* out) {
  const Philox philox = frames.in_this_run(start);
  for (const int64_t i : grid_range(n)) {
    const RandomFrames::Element element = frames.at(philox, i);
    out[i] = stddev * element.philox.normal((element.frame << 34) + static_cast<uint64_t>(element.number));
  }
}

/// The layout with its rows on the device.
class RandomLaunch {
 public:
  RandomLaunch(const Tensor& out, const cpu::RandomLayout& layout) {
    frames.outer = static_cast<int>(layout.axes.size());
    while (frames.outer > 0 && layout.axes[static_cast<size_t>(frames.outer - 1)] == cpu::RandomLayout::Axis::kFixed) {
      --frames.outer;
    }
    for (int axis = frames.outer; axis < out.rank(); ++axis) frames.tail *= out.dim(axis);
    frames.fixed = frames.tail;
    int64_t stride = frames.tail;
    for (int axis = frames.outer - 1; axis >= 0; --axis) {
      frames.strides[axis] = stride;
      stride *= out.dim(axis);
    }
    for (int axis = 0; axis < frames.outer; ++axis) {
      frames.sizes[axis] = out.dim(axis);
      frames.kinds[axis] = layout.axes[static_cast<size_t>(axis)];
      if (frames.kinds[axis] == cpu::RandomLayout::Axis::kFixed) frames.fixed *= out.dim(axis);
    }
    if (layout.run != nullptr) {
      frames.run = *layout.run;
      frames.blocks_per_step = layout.blocks_per_step;
      if (layout.always_same) frames.run.step = nullptr;
    } else if (layout.rows != nullptr) {
      upload(*layout.rows, out.device());
    }
  }

  RandomFrames frames;

 private:
  void upload(const cpu::RandomRows& rows, Device device) {
    std::vector<int64_t> pieces;
    std::vector<int64_t> begins{0};
    for (const auto& row : rows) {
      for (const cpu::RandomPiece& piece : row) {
        pieces.push_back(static_cast<int64_t>(piece.id));
        pieces.push_back(piece.offset);
      }
      begins.push_back(static_cast<int64_t>(pieces.size() / 2));
    }
    pieces_ = on(device, Tensor::of<int64_t>(pieces, Shape{static_cast<int64_t>(pieces.size())}));
    begins_ = on(device, Tensor::of<int64_t>(begins, Shape{static_cast<int64_t>(begins.size())}));
    frames.run = {.begins = device_data<int64_t>(begins_),
                  .pieces = device_data<int64_t>(pieces_),
                  .rows = static_cast<int64_t>(rows.size())};
  }

  Tensor pieces_;
  Tensor begins_;
};

template <class F>
void uniform(const Philox& philox, const Tensor& out, const cpu::RandomLayout& layout, F f) {
  const RandomLaunch random(out, layout);
  const int64_t n = out.elements();
  if (random.frames.tail % kPack == 0 && aligned_for_packs(device_data<float>(out))) {
    return launch(uniform_packs_kernel<F>, blocks_for(n / kPack), kThreads, 0, random.frames, philox, f, n / kPack,
                  device_data<float>(out));
  }
  launch(uniform_kernel<F>, blocks_for(n), kThreads, 0, random.frames, philox, f, n, device_data<float>(out));
}

}  // namespace

void dropout_mask(const Philox& philox, double keep, const Tensor& out, const cpu::RandomLayout& layout) {
  uniform(philox, out, layout, MaskOf{static_cast<float>(keep), static_cast<float>(1.0 / keep)});
}

void random_uniform(const Philox& philox, double low, double high, const Tensor& out, const cpu::RandomLayout& layout) {
  uniform(philox, out, layout, RangeOf{static_cast<float>(low), static_cast<float>(high - low)});
}

void random_normal(const Philox& philox, double stddev, const Tensor& out, const cpu::RandomLayout& layout) {
  const RandomLaunch random(out, layout);
  const int64_t n = out.elements();
  launch(normal_kernel, blocks_for(n), kThreads, 0, random.frames, philox, static_cast<float>(stddev), n,
         device_data<float>(out));
}

}  // namespace wende::cuda

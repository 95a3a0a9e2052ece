#include <algorithm>

#include "kernels/dropout.h"
#include "kernels/random_place.h"

namespace wende::cpu {

namespace {

constexpr int64_t kBlocks = 16;

/// Words of kBlocks neighbouring blocks in element order; the loops over blocks are vectorised.
void philox_words(const Philox& philox, uint64_t first_block, uint32_t* words) {
  uint32_t c0[kBlocks], c1[kBlocks], c2[kBlocks], c3[kBlocks];
  for (int64_t k = 0; k < kBlocks; ++k) {
    const uint64_t block = philox.first_block + first_block + static_cast<uint64_t>(k);
    c0[k] = static_cast<uint32_t>(block);
    c1[k] = static_cast<uint32_t>(block >> 32);
    c2[k] = philox.stream0;
    c3[k] = philox.stream1;
  }
  uint32_t key0 = philox.key0;
  uint32_t key1 = philox.key1;
  for (int round = 0; round < 10; ++round) {
    for (int64_t k = 0; k < kBlocks; ++k) {
      const uint64_t p0 = uint64_t{0xD2511F53u} * c0[k];
      const uint64_t p1 = uint64_t{0xCD9E8D57u} * c2[k];
      c0[k] = static_cast<uint32_t>(p1 >> 32) ^ c1[k] ^ key0;
      c1[k] = static_cast<uint32_t>(p1);
      c2[k] = static_cast<uint32_t>(p0 >> 32) ^ c3[k] ^ key1;
      c3[k] = static_cast<uint32_t>(p0);
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int64_t k = 0; k < kBlocks; ++k) {
    words[4 * k] = c0[k];
    words[4 * k + 1] = c1[k];
    words[4 * k + 2] = c2[k];
    words[4 * k + 3] = c3[k];
  }
}

constexpr int64_t kWords = 4 * kBlocks;

/// Elements first, first + 1, ... of one frame; `high` is the upper half of the block counter.
template <class F>
void fill_span(const Philox& philox, uint64_t high, int64_t first, float* to, int64_t count, F f) {
  if (count <= 4) {
    for (int64_t i = 0; i < count; ++i) {
      const auto element = static_cast<uint64_t>(first + i);
      to[i] = f(philox.block((high << 32) + element / 4)[element % 4]);
    }
    return;
  }
  uint32_t words[kWords];
  int64_t done = 0;
  while (done < count) {
    const int64_t at = first + done;
    philox_words(philox, (high << 32) + static_cast<uint64_t>(at / 4), words);
    const int64_t skip = at % 4;
    const int64_t width = std::min(kWords - skip, count - done);
    for (int64_t k = 0; k < width; ++k) to[done + k] = f(words[skip + k]);
    done += width;
  }
}

/// Walks all frames of `out`: outer axes one by one, the trailing fixed axes as one span.
template <class Span>
class FrameWalk {
 public:
  FrameWalk(const Philox& philox, const Tensor& out, const RandomLayout& layout, Span span)
      : philox_(philox), out_(out), layout_(layout), span_(span) {
    outer_ = static_cast<int>(layout.axes.size());
    while (outer_ > 0 && layout.axes[static_cast<size_t>(outer_ - 1)] == RandomLayout::Axis::kFixed) --outer_;
    for (int axis = outer_; axis < out.rank(); ++axis) tail_ *= out.dim(axis);
    fixed_ = tail_;
    for (int axis = 0; axis < outer_; ++axis) {
      if (layout.axes[static_cast<size_t>(axis)] == RandomLayout::Axis::kFixed) fixed_ *= out.dim(axis);
    }
  }

  void run() {
    next_ = out_.data<float>();
    visit(0, RandomPlace{});
  }

 private:
  void visit(int axis, const RandomPlace& place) {
    if (axis == outer_) {
      emit(place);
      return;
    }
    const RandomLayout::Axis kind = layout_.axes[static_cast<size_t>(axis)];
    for (int64_t i = 0; i < out_.dim(axis); ++i) {
      RandomPlace inner = place;
      inner.enter(kind, i, out_.dim(axis));
      visit(axis + 1, inner);
    }
  }

  void emit(const RandomPlace& place) {
    Philox philox = philox_;
    int64_t frame = place.frame;
    if (place.row >= 0) {
      uint64_t id = static_cast<uint64_t>(place.row);
      if (layout_.rows != nullptr && place.row < static_cast<int64_t>(layout_.rows->size())) {
        for (const RandomPiece& piece : (*layout_.rows)[static_cast<size_t>(place.row)]) {
          if (piece.offset <= place.frame) {
            id = piece.id;
            frame = place.frame - piece.offset;
          }
        }
      }
      philox = RandomPlace::keyed(philox, id);
    }
    span_(philox, static_cast<uint64_t>(frame), place.first_element(fixed_, tail_), next_, tail_);
    next_ += tail_;
  }

  const Philox philox_;
  const Tensor& out_;
  const RandomLayout& layout_;
  Span span_;
  int outer_ = 0;
  int64_t tail_ = 1;
  int64_t fixed_ = 1;
  float* next_ = nullptr;
};

template <class F>
void fill_uniform(const Philox& philox, const Tensor& out, const RandomLayout& layout, F f) {
  const auto span = [f](const Philox& keyed, uint64_t high, int64_t first, float* to, int64_t count) {
    fill_span(keyed, high, first, to, count, [f](uint32_t word) { return f(Philox::to_uniform(word)); });
  };
  FrameWalk<decltype(span)>(philox, out, layout, span).run();
}

}  // namespace

void dropout_mask(const Philox& philox, double keep, const Tensor& out, const RandomLayout& layout) {
  const auto threshold = static_cast<float>(keep);
  const auto value = static_cast<float>(1.0 / keep);
  fill_uniform(philox, out, layout, [=](float u) { return u + threshold >= 1.0f ? value : 0.0f; });
}

void random_uniform(const Philox& philox, double low, double high, const Tensor& out, const RandomLayout& layout) {
  const auto offset = static_cast<float>(low);
  const auto range = static_cast<float>(high - low);
  fill_uniform(philox, out, layout, [=](float u) { return offset + range * u; });
}

void random_normal(const Philox& philox, double stddev, const Tensor& out, const RandomLayout& layout) {
  const auto scale = static_cast<float>(stddev);
  const auto span = [scale](const Philox& keyed, uint64_t high, int64_t first, float* to, int64_t count) {
    for (int64_t i = 0; i < count; ++i) to[i] = scale * keyed.normal((high << 34) + static_cast<uint64_t>(first + i));
  };
  FrameWalk<decltype(span)>(philox, out, layout, span).run();
}

}  // namespace wende::cpu

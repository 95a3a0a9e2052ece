#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "kernels/amx_tile.h"
#include "kernels/product_fetch.h"
#include "kernels/product_tiles.h"

// AMX multiplies bfloat16 and sums float32. A float32 is the sum of three bfloat16 of 8 bits each, x = x1 + x2 + x3,
// and of the nine products of two such sums the three smallest (below 2^-25 of the whole) are left out. The others are
// six instructions, on a unit that multiplies 16 times as much as FMAs do; a sum of 32 products is rounded to the size
// of the whole six times and not 32 times, so that the result is a little nearer to the true one than that of FMAs.
// With two terms the error is 2^-16, with one it is that of bfloat16. An infinity times anything is NaN, since it also
// meets terms that are 0. Henry, Tang, Heinecke: Leveraging the bfloat16 artificial intelligence datatype for
// higher-precision computations, ARITH 2019.
//
// Seen on a Xeon: 450 GFLOP/s with registers alone (FMAs: 215), 365 with operands that are not zeros, 250 in a product.

namespace wende::cpu {

namespace {

constexpr int64_t kHeight = 16;      // of a tile register
constexpr int64_t kUnit = 32;        // values of k in a row of one
constexpr int64_t kRegister = 1024;  // bytes
constexpr int64_t kPair = 2 * kRegister;
/// All terms of 32 rows of A, or columns of B, and one unit of k.
constexpr int64_t group_bytes(int64_t terms) { return terms * kPair; }

int64_t units_of(int64_t depth) { return (depth + kUnit - 1) / kUnit; }
template <int64_t kTerms>
int64_t arranged_floats(int64_t depth) {
  return units_of(depth) * group_bytes(kTerms) / static_cast<int64_t>(sizeof(float));
}

/// 16 values of each of two rows; null: a row that is not there.
template <int64_t kTerms>
inline void split_rows(const float* even, const float* odd, __mmask16 mask, __m512i out[kTerms]) {
  const __m512 zeros = _mm512_setzero_ps();
  split_pair<kTerms>(even ? _mm512_maskz_loadu_ps(mask, even) : zeros, odd ? _mm512_maskz_loadu_ps(mask, odd) : zeros,
                     out);
}

/// to [16,16] = the transpose of 16 rows of 16 words of 32 bits.
inline void store_transposed(const __m512i* rows, char* to) {
  __m512i a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    a[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    b[i] = _mm512_unpacklo_epi64(a[i], a[i + 2]);
    b[i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 2]);
    b[i + 2] = _mm512_unpacklo_epi64(a[i + 1], a[i + 3]);
    b[i + 3] = _mm512_unpackhi_epi64(a[i + 1], a[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    a[i] = _mm512_shuffle_i32x4(b[i], b[i + 4], 0x88);
    a[i + 4] = _mm512_shuffle_i32x4(b[i], b[i + 4], 0xdd);
    a[i + 8] = _mm512_shuffle_i32x4(b[i + 8], b[i + 12], 0x88);
    a[i + 12] = _mm512_shuffle_i32x4(b[i + 8], b[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    _mm512_store_si512(to + i * 64, _mm512_shuffle_i32x4(a[i], a[i + 8], 0x88));
    _mm512_store_si512(to + (i + 8) * 64, _mm512_shuffle_i32x4(a[i], a[i + 8], 0xdd));
    _mm512_store_si512(to + (i + 4) * 64, _mm512_shuffle_i32x4(a[i + 4], a[i + 12], 0x88));
    _mm512_store_si512(to + (i + 12) * 64, _mm512_shuffle_i32x4(a[i + 4], a[i + 12], 0xdd));
  }
}

/// The rows of a tile are divided between two registers.
int64_t upper_rows(int64_t height) { return (height + 1) / 2; }

template <int64_t kTerms>
void arrange_rows(const RowView& a, int64_t first, int64_t height, int64_t column, int64_t depth, float* to) {
  for (int64_t r = 0; r < height; ++r) {
    const float* from = a.row(first + r) + column;
    const int64_t upper = upper_rows(height);
    char* place = reinterpret_cast<char*>(to) + (r < upper ? r * 64 : kRegister + (r - upper) * 64);
    for (int64_t p = 0; p < depth; p += kUnit, place += group_bytes(kTerms)) {
      __m512i terms[kTerms];
      split_row<kTerms>(from + p, depth - p, terms);
      for (int64_t t = 0; t < kTerms; ++t) _mm512_store_si512(place + t * kPair, terms[t]);
    }
  }
}

/// Rows p and p + 1 of a unit that begins at row `begin`; null: beyond the last.
const float* row_or_null(const RowView& rows, int64_t first, int64_t p, int64_t depth, int64_t column) {
  return p < depth ? rows.row(first + p) + column : nullptr;
}

template <int64_t kTerms>
void arrange_rows_transposed(const RowView& a, int64_t first, int64_t depth, int64_t column, int64_t height,
                             float* to) {
  const int64_t upper = upper_rows(height);
  for (int64_t begin = 0; begin < depth; begin += kUnit) {
    char* group = reinterpret_cast<char*>(to) + begin / kUnit * group_bytes(kTerms);
    for (int64_t half = 0; half < 2; ++half) {
      const int64_t from = column + half * upper;
      const __mmask16 mask = mask_of(half == 0 ? upper : height - upper);
      __m512i pairs[kTerms][16];
      for (int64_t r = 0; r < 16; ++r) {
        __m512i terms[kTerms];
        split_rows<kTerms>(row_or_null(a, first, begin + 2 * r, depth, from),
                           row_or_null(a, first, begin + 2 * r + 1, depth, from), mask, terms);
        for (int64_t t = 0; t < kTerms; ++t) pairs[t][r] = terms[t];
      }
      for (int64_t t = 0; t < kTerms; ++t) store_transposed(pairs[t], group + t * kPair + half * kRegister);
    }
  }
}

template <int64_t kTerms>
void arrange_columns(const RowView& b, int64_t first, int64_t depth, int64_t column, int64_t width, float* to) {
  for (int64_t begin = 0; begin < depth; begin += kUnit) {
    char* group = reinterpret_cast<char*>(to) + begin / kUnit * group_bytes(kTerms);
    for (int64_t r = 0; r < 16; ++r) {
      const float* even = row_or_null(b, first, begin + 2 * r, depth, column);
      const float* odd = row_or_null(b, first, begin + 2 * r + 1, depth, column);
      for (int64_t half = 0; half < 2; ++half) {
        __m512i terms[kTerms];
        split_rows<kTerms>(even ? even + half * 16 : nullptr, odd ? odd + half * 16 : nullptr,
                           mask_of(width - half * 16), terms);
        for (int64_t t = 0; t < kTerms; ++t) {
          _mm512_store_si512(group + t * kPair + half * kRegister + r * 64, terms[t]);
        }
      }
    }
  }
}

template <int64_t kTerms>
void arrange_columns_transposed(const RowView& b, int64_t first, int64_t depth, int64_t column, int64_t width,
                                float* to) {
  for (int64_t begin = 0; begin < depth; begin += kUnit) {
    char* group = reinterpret_cast<char*>(to) + begin / kUnit * group_bytes(kTerms);
    for (int64_t half = 0; half < 2; ++half) {
      __m512i rows[kTerms][16];
      for (int64_t j = 0; j < 16; ++j) {
        __m512i terms[kTerms] = {};
        const int64_t row = half * 16 + j;
        if (row < width) split_row<kTerms>(b.row(column + row) + first + begin, depth - begin, terms);
        for (int64_t t = 0; t < kTerms; ++t) rows[t][j] = terms[t];
      }
      for (int64_t t = 0; t < kTerms; ++t) store_transposed(rows[t], group + t * kPair + half * kRegister);
    }
  }
}

// Registers: 0 to 3 are sums (upper left, upper right, lower left, lower right), 4 and 5 of A, 6 and 7 of B.
inline void load_a(const char* from) {
  _tile_loadd(4, from, 64);
  _tile_loadd(5, from + kRegister, 64);
}
inline void load_b(const char* from) {
  _tile_loadd(6, from, 64);
  _tile_loadd(7, from + kRegister, 64);
}
inline void add_products(ProductFetch& fetch) {
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  _tile_dpbf16ps(2, 5, 6);
  _tile_dpbf16ps(3, 5, 7);
  fetch();
}

/// How often add_unit fetches.
constexpr int64_t fetches_of(int64_t terms) { return terms == 3 ? 6 : terms == 2 ? 3 : 1; }

/// One unit of k. The small products come first; each step changes one factor, and B, the one from farther away, is
/// read once.
template <int64_t kTerms>
inline void add_unit(const char* a, const char* b, ProductFetch& fetch) {
  load_a(a);
  load_b(b + (kTerms - 1) * kPair);
  add_products(fetch);
  if constexpr (kTerms == 3) {
    load_b(b + kPair);
    add_products(fetch);
    load_a(a + kPair);
    add_products(fetch);
    load_b(b);
    add_products(fetch);
    load_a(a + 2 * kPair);
    add_products(fetch);
    load_a(a);
    add_products(fetch);
  } else if constexpr (kTerms == 2) {
    load_b(b);
    add_products(fetch);
    load_a(a + kPair);
    add_products(fetch);
  }
}

/// What the registers of this thread are laid out for; to lay them out takes as long as some 20 products.
thread_local int64_t configured_height = 0;

void configure(int64_t height) {
  if (height == configured_height) return;
  TileConfiguration configuration;
  const int64_t upper = upper_rows(height);
  const int64_t lower = std::max<int64_t>(height - upper, 1);
  for (const int i : {0, 1, 4}) configuration.rows[i] = static_cast<uint8_t>(upper);
  for (const int i : {2, 3, 5}) configuration.rows[i] = static_cast<uint8_t>(lower);
  configuration.load();
  configured_height = height;
}

/// While the registers are in use, the system saves them whenever it changes threads.
void finish() {
  _tile_release();
  configured_height = 0;
}

/// sums: the four registers of the tile.
template <int64_t kTerms>
void sum_tile(const TileProduct& product, float sums[4][256]) {
  configure(product.height);
  const char* a = reinterpret_cast<const char*>(product.a);
  const char* b = reinterpret_cast<const char*>(product.b);
  const int64_t units = units_of(product.depth);
  ProductFetch fetch(product, std::max<int64_t>(units, 1) * fetches_of(kTerms));
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t unit = 0; unit < units; ++unit, a += group_bytes(kTerms), b += group_bytes(kTerms)) {
    add_unit<kTerms>(a, b, fetch);
  }
  _tile_stored(0, sums[0], 64);
  _tile_stored(1, sums[1], 64);
  _tile_stored(2, sums[2], 64);
  _tile_stored(3, sums[3], 64);
}

template <int64_t kTerms>
void multiply(const TileProduct& product) {
  alignas(64) float sums[4][256];
  sum_tile<kTerms>(product, sums);
  const int64_t upper = upper_rows(product.height);
  const RowWriter write_row(product);
  for (int64_t i = 0; i < product.height; ++i) {
    const float(*half)[256] = sums + (i < upper ? 0 : 2);
    const int64_t place = (i < upper ? i : i - upper) * 16;
    write_row(i, half[0] + place, half[1] + place);
  }
}

/// The kernel gives a process the registers' 8 KB when it asks for them.
bool granted() {
  constexpr int kRequestPermission = 0x1023;
  constexpr int kTileData = 18;
  constexpr unsigned kBfloat16 = 1u << 22;
  constexpr unsigned kTile = 1u << 24;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & kBfloat16) && (edx & kTile) &&
         __builtin_cpu_supports("avx512bw") && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

template <int64_t kTerms>
const ProductTiles* tiles() {
  static constexpr ProductTiles kTiles = {
      .rows = 2 * kHeight,
      .columns = 2 * kHeight,
      // Three terms, depth 512: 0.8 MB. With 512 rows too little of the L2 cache is left for what passes by.
      .row_block = 256,
      .tile_floats = arranged_floats<kTerms>,
      .panel_floats = arranged_floats<kTerms>,
      .arrange_rows = arrange_rows<kTerms>,
      .arrange_rows_transposed = arrange_rows_transposed<kTerms>,
      .arrange_columns = arrange_columns<kTerms>,
      .arrange_columns_transposed = arrange_columns_transposed<kTerms>,
      .multiply = multiply<kTerms>,
      .finish = finish,
  };
  return &kTiles;
}

}  // namespace

const ProductTiles* amx_tiles(ProductPrecision precision) {
  static const bool there = granted();
  if (!there) return nullptr;
  switch (precision) {
    case ProductPrecision::kFloat32:
      return tiles<3>();
    case ProductPrecision::kTf32:
      return tiles<2>();
    case ProductPrecision::kBf16:
      return tiles<1>();
  }
  return nullptr;
}

}  // namespace wende::cpu

#include <algorithm>
#include <cstring>

#include "kernels/amx_tile.h"
#include "kernels/column_panels.h"
#include "kernels/product_tiles.h"

// Products by AMX for the steps of a recurrence: few rows of A, and a B that comes from the L3 cache in every step (30
// GB/s on a Xeon where the L2 cache gives 180). What counts is how many bytes that are. So B stays float32, 4 bytes and
// not the 6 of three terms, and its terms are made just before they are multiplied: vector instructions for the next
// unit of k stand between the products of this one, which take longer. All rows meet a panel at once, so that it is
// split once. A panel is read from front to back, and the processor's own prefetching keeps up with that; fetching the
// next panel by instructions was slower, since those wait for the L3 cache in the few buffers of the L1 cache.
// 40 rows times [500,2000]: 330 us, 430 with three terms from memory, 480 by FMAs; 27 rows: 245, 300 and 350.

namespace wende::cpu {

namespace {

constexpr int64_t kTerms = 3;
constexpr int64_t kHeight = 16;      // of a tile register
constexpr int64_t kMostParts = 3;    // registers that the rows of a tile are divided between
constexpr int64_t kUnit = 32;        // values of k in a row of one
constexpr int64_t kHalf = 16;        // columns of one
constexpr int64_t kColumns = 32;     // of a panel
constexpr int64_t kRegister = 1024;  // bytes
constexpr int64_t kSlots = 12;       // in a unit, for what happens between products
constexpr int64_t kPartBytes = kTerms * kRegister;
constexpr int64_t kGroupBytes = kMostParts * kPartBytes;  // of A: all rows of a unit

int64_t units_of(int64_t depth) { return (depth + kUnit - 1) / kUnit; }
int64_t tile_floats(int64_t depth) { return units_of(depth) * kGroupBytes / static_cast<int64_t>(sizeof(float)); }
int64_t parts_of(int64_t height) { return (height + kHeight - 1) / kHeight; }
/// All parts have as many; the last rows of the last one may be anything.
int64_t part_rows(int64_t height) { return (height + parts_of(height) - 1) / parts_of(height); }

void arrange_rows(const RowView& a, int64_t first, int64_t height, int64_t column, int64_t depth, float* to) {
  const int64_t rows = part_rows(height);
  for (int64_t r = 0; r < height; ++r) {
    const float* from = a.row(first + r) + column;
    char* place = reinterpret_cast<char*>(to) + r / rows * kPartBytes + r % rows * 64;
    for (int64_t p = 0; p < depth; p += kUnit, place += kGroupBytes) {
      __m512i terms[kTerms];
      split_row<kTerms>(from + p, depth - p, terms);
      for (int64_t t = 0; t < kTerms; ++t) _mm512_store_si512(place + t * kRegister, terms[t]);
    }
  }
}

/// What the registers of this thread are laid out for.
thread_local int64_t configured_rows = 0;

void configure(int64_t rows) {
  if (rows == configured_rows) return;
  TileConfiguration configuration;
  for (int i = 0; i < 7; ++i) configuration.rows[i] = static_cast<uint8_t>(rows);
  configuration.load();
  configured_rows = rows;
}

void finish() {
  _tile_release();
  configured_rows = 0;
}

/// What happens between the products of a unit of k: terms of the next one are made, and rows of C fetched.
struct Between {
  const float* unit;  ///< of B, [32,32 columns] of a panel
  char* terms;        ///< to be made of it: [half of the columns, term], one register each
  float* const* c;    ///< rows for the slots of this unit
  int64_t c_rows;
  int64_t width;

  template <int64_t kSlot>
  void operator()() const {
    if (kSlot < c_rows) fetch(c[kSlot]);
#pragma GCC unroll 3
    for (int64_t i = kSlot * kUnit / kSlots; i < (kSlot + 1) * kUnit / kSlots; ++i) make_terms(i);
  }
  /// Row kSlot of C starts anywhere: 128 bytes lie in up to three lines.
  void fetch(const float* row) const {
    __builtin_prefetch(row, 1);
    __builtin_prefetch(row + width / 2, 1);
    __builtin_prefetch(row + width - 1, 1);
  }
  /// Part i of 32: a pair of rows, in one half of the columns.
  void make_terms(int64_t i) const {
    const int64_t half = i % 2;
    const int64_t pair = i / 2;
    const float* even = unit + 2 * pair * kColumns + half * kHalf;
    __m512i made[kTerms];
    split_pair<kTerms>(_mm512_loadu_ps(even), _mm512_loadu_ps(even + kColumns), made);
    char* to = terms + half * kPartBytes + pair * 64;
#pragma GCC unroll 3
    for (int64_t t = 0; t < kTerms; ++t) _mm512_store_si512(to + t * kRegister, made[t]);
  }
};

// Registers: 0 to 5 are sums (2 part + half of the columns), 6 is of A, 7 of B.

/// Products of one term of A with one of B, in the left half of the columns. (The names of registers are literals.)
template <int64_t kParts>
inline void add_left(const char* a, const char* b) {
  _tile_loadd(7, b, 64);
  _tile_loadd(6, a, 64);
  _tile_dpbf16ps(0, 6, 7);
  if constexpr (kParts > 1) {
    _tile_loadd(6, a + kPartBytes, 64);
    _tile_dpbf16ps(2, 6, 7);
  }
  if constexpr (kParts > 2) {
    _tile_loadd(6, a + 2 * kPartBytes, 64);
    _tile_dpbf16ps(4, 6, 7);
  }
}
template <int64_t kParts>
inline void add_right(const char* a, const char* b) {
  _tile_loadd(7, b, 64);
  _tile_loadd(6, a, 64);
  _tile_dpbf16ps(1, 6, 7);
  if constexpr (kParts > 1) {
    _tile_loadd(6, a + kPartBytes, 64);
    _tile_dpbf16ps(3, 6, 7);
  }
  if constexpr (kParts > 2) {
    _tile_loadd(6, a + 2 * kPartBytes, 64);
    _tile_dpbf16ps(5, 6, 7);
  }
}

/// g++ 12 does not know that tiles are read from memory: without the barriers stores of terms could move past them.
template <int64_t kParts, int64_t kSlot>
inline void add_products(const char* a, const char* b, const Between& between) {
  add_left<kParts>(a, b);
  between.template operator()<kSlot>();
  asm volatile("" : : : "memory");
  add_right<kParts>(a, b + kPartBytes);
  between.template operator()<kSlot + 1>();
  asm volatile("" : : : "memory");
}

/// One unit of k, the small products first.
template <int64_t kParts>
inline void add_unit(const char* a, const char* b, const Between& between) {
  add_products<kParts, 0>(a, b + 2 * kRegister, between);
  add_products<kParts, 2>(a, b + kRegister, between);
  add_products<kParts, 4>(a + kRegister, b + kRegister, between);
  add_products<kParts, 6>(a + kRegister, b, between);
  add_products<kParts, 8>(a + 2 * kRegister, b, between);
  add_products<kParts, 10>(a, b, between);
}

/// sums: the registers, [part, half of the columns].
template <int64_t kParts>
void sum_tile(const TileProduct& product, float sums[2 * kMostParts][256]) {
  alignas(64) char terms[2][2 * kPartBytes];
  const int64_t units = units_of(product.depth);
  const auto between = [&](int64_t unit) {
    // The terms that follow the last unit are never multiplied: of anything that can be read.
    const float* next = product.b + (unit + 1 < units ? unit + 1 : 0) * kUnit * kColumns;
    const int64_t row = unit * kSlots;
    return Between{next, terms[(unit + 1) % 2], product.c + row, product.height - row, product.width};
  };
  const Between first{product.b, terms[0], nullptr, 0, 0};
  for (int64_t i = 0; units > 0 && i < kUnit; ++i) first.make_terms(i);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  const char* a = reinterpret_cast<const char*>(product.a);
  asm volatile("" : : : "memory");
  for (int64_t unit = 0; unit < units; ++unit, a += kGroupBytes) {
    add_unit<kParts>(a, terms[unit % 2], between(unit));
  }
  _tile_stored(0, sums[0], 64);
  _tile_stored(1, sums[1], 64);
  _tile_stored(2, sums[2], 64);
  _tile_stored(3, sums[3], 64);
  _tile_stored(4, sums[4], 64);
  _tile_stored(5, sums[5], 64);
  asm volatile("" : : : "memory");
}

void multiply(const TileProduct& product) {
  alignas(64) float sums[2 * kMostParts][256];
  const int64_t rows = part_rows(product.height);
  configure(rows);
  switch (parts_of(product.height)) {
    case 1:
      sum_tile<1>(product, sums);
      break;
    case 2:
      sum_tile<2>(product, sums);
      break;
    default:
      sum_tile<3>(product, sums);
  }
  const RowWriter write_row(product);
  for (int64_t i = 0; i < product.height; ++i) {
    const float(*part)[256] = sums + i / rows * 2;
    const int64_t place = i % rows * kHalf;
    write_row(i, part[0] + place, part[1] + place);
  }
}

/// Whole units; the last rows are zeros.
int64_t panel_floats(int64_t depth) { return units_of(depth) * kUnit * kColumns; }

template <auto kArrange>
void arrange_panel(const RowView& b, int64_t first, int64_t depth, int64_t column, int64_t width, float* to) {
  kArrange(b, first, depth, column, width, to);
  std::memset(to + depth * kColumns, 0, static_cast<size_t>(panel_floats(depth) - depth * kColumns) * sizeof(float));
}

}  // namespace

const ProductTiles* amx_step_tiles() {
  static const ProductTiles kTiles = {
      .rows = kMostParts * kHeight,
      .columns = kColumns,
      .row_block = kMostParts * kHeight,
      .tile_floats = tile_floats,
      .panel_floats = panel_floats,
      .arrange_rows = arrange_rows,
      .arrange_rows_transposed = nullptr,
      .arrange_columns = arrange_panel<arrange_columns<kColumns>>,
      .arrange_columns_transposed = arrange_panel<arrange_columns_transposed<kColumns>>,
      .multiply = multiply,
      .finish = finish,
      // With 14 rows FMAs take 190 us and this 205, with 16 it is 260 and 215.
      .least_rows = 15,
      .few_rows = vector_tiles().columns == kColumns ? &vector_tiles() : nullptr,
  };
  return amx_tiles() ? &kTiles : nullptr;
}

}  // namespace wende::cpu

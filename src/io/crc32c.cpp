#include <array>
#include <cstring>

#include "io/checkpoint.h"

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace wende {

namespace {

constexpr std::array<uint32_t, 256> make_table() {
  constexpr uint32_t kReversedCastagnoli = 0x82F63B78u;
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1u) != 0 ? kReversedCastagnoli : 0u);
    table[i] = value;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = make_table();

}  // namespace

uint32_t crc32c(const void* data, size_t bytes, uint32_t start) {
  const auto* p = static_cast<const unsigned char*>(data);
  uint32_t crc = ~start;
#ifdef __SSE4_2__
  uint64_t wide = crc;
  for (; bytes >= 8; bytes -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<uint32_t>(wide);
#endif
  for (; bytes > 0; --bytes, ++p) crc = (crc >> 8) ^ kTable[(crc ^ *p) & 0xFFu];
  return ~crc;
}

}  // namespace wende

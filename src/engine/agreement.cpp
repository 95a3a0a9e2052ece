#include "engine/agreement.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <sstream>

#include "base/error.h"
#include "tensor/placement.h"

namespace wende {

namespace {

constexpr uint64_t kPrime = 0x9E3779B97F4A7C15u;

/// A list is "host hash hash ...".
std::string hashes_of(const std::string& list) { return list.substr(std::min(list.find(' '), list.size())); }

/// On rank 0: lines about the ranks whose hash list differs from rank 0's; "" if none does.
std::string differences(const std::vector<std::string>& lists, const std::vector<std::string>& names) {
  std::string text;
  for (size_t rank = 1; rank < lists.size(); ++rank) {
    if (hashes_of(lists[rank]) == hashes_of(lists[0])) {
      continue;
    }
    std::istringstream own(lists[0]);
    std::istringstream other(lists[rank]);
    std::string here;
    std::string there;
    own >> here;
    other >> there;  // the hosts
    text += fmt::format("\n  rank {} ({}):", rank, there);
    for (const std::string& name : names) {
      own >> here;
      other >> there;
      if (here != there) {
        text += fmt::format(" {} ({} instead of {})", name, there, here);
      }
    }
  }
  return text;
}

/// Rank 0's verdict to all; a host's name is part of a list only for the message.
void exchange(Communicator& communicator, const std::string& hashes, const std::vector<std::string>& names,
              const std::string& what) {
  std::string host = communicator.host_name();
  std::vector<std::string> lists = communicator.gather(host + hashes);
  std::string text;
  if (communicator.is_root()) {
    bool same = true;
    for (const std::string& list : lists) {
      same = same && hashes_of(list) == hashes;
    }
    text = same ? "" : differences(lists, names);
  }
  text = communicator.broadcast_string(text);
  if (!text.empty()) {
    throw Error(ExitStatus::kRanksDisagree, what + text);
  }
}

}  // namespace

uint64_t hash64(const void* data, size_t bytes) {
  const auto* p = static_cast<const unsigned char*>(data);
  uint64_t lanes[4] = {kPrime, kPrime * 3, kPrime * 5, kPrime * 7};
  size_t at = 0;
  for (; at + 32 <= bytes; at += 32) {
    for (int lane = 0; lane < 4; ++lane) {
      uint64_t word;
      std::memcpy(&word, p + at + static_cast<size_t>(lane) * 8, 8);
      lanes[lane] = std::rotl(lanes[lane] ^ word, 27) * kPrime;
    }
  }
  uint64_t hash = bytes;
  for (const uint64_t lane : lanes) {
    hash = std::rotl(hash ^ lane, 31) * kPrime;
  }
  for (; at < bytes; ++at) {
    hash = std::rotl(hash ^ p[at], 17) * kPrime;
  }
  return hash ^ (hash >> 29);
}

void require_agreement(Communicator& communicator, const Facts& facts) {
  if (communicator.size() == 1) {
    return;
  }
  std::string hashes;
  std::vector<std::string> names;
  for (const auto& [name, text] : facts) {
    hashes += fmt::format(" {:016x}", hash64(text));
    names.push_back(name);
  }
  exchange(communicator, hashes, names, "the ranks do not run the same thing; different from rank 0:");
}

void require_equal_parameters(Communicator& communicator, const Tensor& flat_values, int64_t step) {
  const Tensor values = on_host(flat_values);
  const uint64_t hash = hash64(values.raw(), values.bytes());
  const auto half = static_cast<int64_t>(hash & std::numeric_limits<int64_t>::max());
  int64_t extremes[2] = {half, -half};
  communicator.all_max(extremes, 2);
  if (extremes[0] == -extremes[1]) {
    return;
  }
  exchange(communicator, fmt::format(" {:016x}", hash), {"parameters"},
           fmt::format("after step {} the parameters are not the same on all ranks; different from rank 0:", step));
}

}  // namespace wende

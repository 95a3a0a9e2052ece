#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "collective/communicator.h"

namespace wende {

/// What ranks tell each other beside MPI. A fixed struct: a magic, a version and the run's token come first. What does
/// not have magic and token is not of this run, and its connection ends; another version of it ends this process (76).
struct PeerMessage {
  enum class What : uint16_t { kState, kAlive, kWriteStacks, kStop, kBye, kWroteStack };
  uint32_t magic = 0x57454e44;
  static constexpr uint16_t kVersion = 2;
  uint16_t version = kVersion;
  What what = What::kState;
  uint64_t token = 0;
  int32_t rank = 0;
  int32_t phase_kind = 0;
  int64_t epoch = 0;
  int64_t step = -1;
  double age = 0;
  std::array<char, 32> phase{};
  std::array<char, 80> layer{};
  std::array<char, 40> operation{};
};

/// A TCP connection of every rank to rank 0, for the watchdogs: they must work while MPI hangs. Used by one thread.
class PeerLink {
 public:
  /// All ranks call it. Where no connection is possible, `connected()` stays false: the ranks watch themselves only.
  explicit PeerLink(Communicator& communicator);
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  bool connected() const { return !peers_.empty(); }
  /// To rank 0; from rank 0 to everybody.
  void send(PeerMessage message);
  /// Waits up to `milliseconds`, then hands over what has come. `lost`: a rank whose connection ended without kBye.
  void poll(int milliseconds, const std::function<void(const PeerMessage&)>& received,
            const std::function<void(int rank)>& lost);

 private:
  struct Peer {
    int fd = -1;
    int rank = -1;  ///< of rank 0's peers: known after the first message
    bool said_bye = false;
    std::string pending;
  };
  void listen(Communicator& communicator, std::string& address);
  void connect_to(const std::string& address, bool same_host);
  void accept_peers();
  bool read_from(Peer& peer, const std::function<void(const PeerMessage&)>& received);

  int rank_;
  int listener_ = -1;
  uint64_t token_ = 0;
  std::vector<Peer> peers_;
};

}  // namespace wende

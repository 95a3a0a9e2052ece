#include "collective/peer_link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <sstream>
#include <type_traits>

#include "base/error.h"

namespace wende {

namespace {

static_assert(std::is_trivially_copyable_v<PeerMessage>);

void set_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

[[noreturn]] void refuse_version(const PeerMessage& message) {
  fmt::print(stderr, "rank {} speaks version {} of the ranks' messages, this one {}: they are not the same program\n",
             message.rank, message.version, PeerMessage::kVersion);
  std::fflush(stderr);
  std::_Exit(static_cast<int>(ExitStatus::kRanksDisagree));
}

/// IPv4 addresses of this host other than the loopback's, separated by blanks.
std::string own_addresses() {
  std::string text;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return text;
  }
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr || item->ifa_addr->sa_family != AF_INET) {
      continue;
    }
    char name[INET_ADDRSTRLEN] = "";
    const auto* address = reinterpret_cast<const sockaddr_in*>(item->ifa_addr);
    if (::inet_ntop(AF_INET, &address->sin_addr, name, sizeof(name)) != nullptr && std::string(name) != "127.0.0.1") {
      text += std::string(" ") + name;
    }
  }
  ::freeifaddrs(list);
  return text;
}

/// A connected socket, or -1 after two seconds.
int connect_within(const std::string& host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) {
    return -1;
  }
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return -1;
  }
  set_non_blocking(fd);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    pollfd wait{fd, POLLOUT, 0};
    int error = errno;
    socklen_t length = sizeof(error);
    const bool ready = error == EINPROGRESS && ::poll(&wait, 1, 2000) == 1 &&
                       ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
    if (!ready) {
      ::close(fd);
      return -1;
    }
  }
  return fd;
}

}  // namespace

PeerLink::PeerLink(Communicator& communicator) : rank_(communicator.rank()) {
  if (communicator.size() == 1) {
    return;
  }
  std::string address;
  if (rank_ == 0) {
    listen(communicator, address);
  }
  address = communicator.broadcast_string(address);
  if (rank_ != 0) {
    const size_t host_end = address.find('\n');
    connect_to(address.substr(host_end + 1), address.substr(0, host_end) == communicator.host_name());
  }
}

PeerLink::~PeerLink() {
  for (const Peer& peer : peers_) {
    ::close(peer.fd);
  }
  if (listener_ >= 0) {
    ::close(listener_);
  }
}

void PeerLink::listen(Communicator& communicator, std::string& address) {
  std::random_device random;
  token_ = (static_cast<uint64_t>(random()) << 32) | random();
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t length = sizeof(any);
  const bool ok = listener_ >= 0 && ::bind(listener_, reinterpret_cast<sockaddr*>(&any), sizeof(any)) == 0 &&
                  ::listen(listener_, communicator.size()) == 0 &&
                  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &length) == 0;
  if (ok) {
    set_non_blocking(listener_);
  }
  address = fmt::format("{}\n{} {}{}", communicator.host_name(), token_, ok ? ntohs(any.sin_port) : 0, own_addresses());
}

void PeerLink::connect_to(const std::string& address, bool same_host) {
  std::istringstream words(address);
  int port = 0;
  words >> token_ >> port;
  std::vector<std::string> hosts;
  if (same_host) {
    hosts.push_back("127.0.0.1");
  }
  for (std::string word; words >> word;) {
    hosts.push_back(word);
  }
  for (const std::string& host : hosts) {
    if (const int fd = port > 0 ? connect_within(host, port) : -1; fd >= 0) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      peers_.push_back({fd, 0, false, {}});
      return;
    }
  }
}

void PeerLink::send(PeerMessage message) {
  message.token = token_;
  message.rank = rank_;
  for (const Peer& peer : peers_) {
    // A full buffer belongs to a peer that does not read: it is silent anyway.
    [[maybe_unused]] const ssize_t sent = ::send(peer.fd, &message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
}

void PeerLink::accept_peers() {
  for (int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); fd >= 0;
       fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) {
    peers_.push_back({fd, -1, false, {}});
  }
}

/// False when the connection is over or speaks another language.
bool PeerLink::read_from(Peer& peer, const std::function<void(const PeerMessage&)>& received) {
  char bytes[4096];
  const ssize_t count = ::recv(peer.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
    return false;
  }
  peer.pending.append(bytes, static_cast<size_t>(std::max<ssize_t>(count, 0)));
  while (peer.pending.size() >= sizeof(PeerMessage)) {
    PeerMessage message;
    std::memcpy(&message, peer.pending.data(), sizeof(message));
    peer.pending.erase(0, sizeof(message));
    const PeerMessage own;
    if (message.magic != own.magic || message.token != token_) {
      return false;
    }
    if (message.version != own.version) {
      refuse_version(message);
    }
    message.phase.back() = message.layer.back() = message.operation.back() = '\0';
    peer.rank = message.rank;
    peer.said_bye = message.what == PeerMessage::What::kBye;
    received(message);
  }
  return true;
}

void PeerLink::poll(int milliseconds, const std::function<void(const PeerMessage&)>& received,
                    const std::function<void(int rank)>& lost) {
  std::vector<pollfd> waits;
  for (const Peer& peer : peers_) {
    waits.push_back({peer.fd, POLLIN, 0});
  }
  if (listener_ >= 0) {
    waits.push_back({listener_, POLLIN, 0});
  }
  ::poll(waits.data(), waits.size(), milliseconds);
  for (size_t i = peers_.size(); i-- > 0;) {
    if (waits[i].revents != 0 && !read_from(peers_[i], received)) {
      const Peer gone = peers_[i];
      ::close(gone.fd);
      peers_.erase(peers_.begin() + static_cast<std::ptrdiff_t>(i));
      if (gone.rank >= 0 && !gone.said_bye) {
        lost(gone.rank);
      }
    }
  }
  if (listener_ >= 0) {
    accept_peers();
  }
}

}  // namespace wende

#pragma once

#include <mpi.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "collective/communicator.h"

namespace wende {

/// Sums of floats where ranks share hosts: inside a host in memory that its ranks share, between hosts by MPI, once per
/// host and not once per rank. Each of the host's lanes (the smallest number of ranks on any host) adds up one part of
/// a sum over the ranks of its host, in their order, has MPI add it over the hosts, and writes it to all; so the bits
/// do not depend on who comes when. Nothing moves by itself: start, done and wait move all sums on.
class HostSums {
 public:
  /// All ranks of `world` call it. Null on all of them where no two share a host.
  /// WENDE_RANKS_PER_HOST=n pretends hosts of at most n ranks; WENDE_HOST_SUMS=0 leaves all sums to MPI.
  static std::unique_ptr<HostSums> make(MPI_Comm world);
  ~HostSums();
  HostSums(const HostSums&) = delete;
  HostSums& operator=(const HostSums&) = delete;

  /// Memory for sums, until the end; all ranks call it with the same size. Null on all where some host has too little.
  std::byte* memory(size_t bytes);
  bool holds(const float* values) const { return find(values) != nullptr; }
  /// In place, in such memory; all ranks start the same sums in the same order. One that is destroyed before it is done
  /// is given up, and with it all later ones: this rank moves nothing any more, the others wait in vain.
  std::unique_ptr<PendingSum> start(float* values, size_t count);

  std::string description() const;

 private:
  class Pending;
  struct Stage;
  struct Range {
    size_t begin, end;
  };
  /// A window: where each rank of the host sees that of each other.
  struct Memory {
    MPI_Win window;
    size_t floats;
    std::vector<float*> of_rank;
  };
  struct Piece {
    const Memory* memory;
    Range part;  ///< this rank's, in floats from the beginning of the memory
    MPI_Request request;
  };

  HostSums(MPI_Comm world, MPI_Comm host, MPI_Comm between, int lanes, int hosts);
  Memory open_window(size_t bytes) const;
  const Memory* find(const float* values) const;
  void make_stages();
  Range part(size_t begin, size_t count) const;
  uint64_t summed_by_all() const;
  bool advance();
  bool add_up();
  bool finish_parts();
  void add_part(const Piece& piece) const;

  MPI_Comm world_, host_, between_;
  int rank_ = 0, size_ = 1;
  int lanes_, hosts_;
  bool refused_ = false;         ///< some host had too little memory
  std::deque<Memory> memories_;  ///< the first holds the stages
  std::vector<Stage*> stages_;
  std::deque<Piece> pieces_;  ///< from number summed_ on
  uint64_t ready_ = 0;        ///< pieces whose numbers of this rank are there
  uint64_t added_ = 0;        ///< over the ranks of the host
  uint64_t summed_ = 0;       ///< over all ranks, and written to all of this host
  bool given_up_ = false;
};

}  // namespace wende

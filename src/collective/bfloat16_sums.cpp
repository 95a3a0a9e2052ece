#include "collective/bfloat16.h"
#include "collective/mpi_call.h"
#include "collective/mpi_world.h"

namespace wende {
namespace {

void add_bfloat16(void* in, void* in_out, int* count, MPI_Datatype*) {
  const auto* from = static_cast<const uint16_t*>(in);
  auto* to = static_cast<uint16_t*>(in_out);
  for (int i = 0; i < *count; ++i) to[i] = to_bfloat16(from_bfloat16(from[i]) + from_bfloat16(to[i]));
}

class Bfloat16PendingSum final : public PendingSum {
 public:
  Bfloat16PendingSum(float* values, size_t count, MPI_Op add, MPI_Comm world) : values_(values), wire_(count) {
    for (size_t i = 0; i < count; ++i) wire_[i] = to_bfloat16(values[i]);
    for (size_t begin = 0; begin < count; begin += kMostMpiElements) {
      const int piece = static_cast<int>(std::min(kMostMpiElements, count - begin));
      check_mpi(MPI_Iallreduce(MPI_IN_PLACE, wire_.data() + begin, piece, MPI_UINT16_T, add, world, requests_.add()),
                "MPI_Iallreduce");
    }
  }

  void wait() override {
    requests_.wait();
    for (size_t i = 0; i < wire_.size(); ++i) values_[i] = from_bfloat16(wire_[i]);
    wire_.clear();
  }
  bool done() override { return requests_.done(); }

 private:
  float* values_;
  std::vector<uint16_t> wire_;
  MpiRequests requests_;  // last: ends before the memory
};

class Bfloat16Sums final : public AsyncSums {
 public:
  Bfloat16Sums() { check_mpi(MPI_Op_create(add_bfloat16, 1, &add_), "MPI_Op_create"); }
  ~Bfloat16Sums() override {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (!finalized) MPI_Op_free(&add_);
  }
  std::unique_ptr<PendingSum> start_all_sum(float* values, size_t count) override {
    return std::make_unique<Bfloat16PendingSum>(values, count, add_, world_.get());
  }

 private:
  MPI_Op add_ = MPI_OP_NULL;
  MpiWorld world_;
};

}  // namespace

std::unique_ptr<AsyncSums> bfloat16_sums(Communicator&) { return std::make_unique<Bfloat16Sums>(); }

}  // namespace wende

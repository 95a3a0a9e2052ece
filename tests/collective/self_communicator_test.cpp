#include <gtest/gtest.h>

#include "base/error.h"
#include "collective/gradient_buckets.h"

namespace wende {
namespace {

TEST(SelfCommunicator, IsAWholeWorld) {
  auto world = Communicator::self();
  EXPECT_EQ(world->size(), 1);
  EXPECT_TRUE(world->is_root());
  float value = 3;
  world->all_sum(&value, 1);
  world->start_all_sum(&value, 1)->wait();
  EXPECT_EQ(value, 3);
  EXPECT_EQ(world->gather("x"), std::vector<std::string>{"x"});
  EXPECT_EQ(world->broadcast_string("y"), "y");
  EXPECT_FALSE(world->host_name().empty());
  EXPECT_EXIT(Communicator::self()->abort(75, "stop here"), ::testing::ExitedWithCode(75), "stop here");
}

/// Notes the ranges that are summed.
class Recorder : public Communicator {
 public:
  explicit Recorder(float* base) : base_(base) {}
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void all_sum(float*, size_t) override {}
  void all_sum(double*, size_t) override {}
  void all_max(int64_t*, size_t) override {}
  std::unique_ptr<PendingSum> start_all_sum(float* values, size_t count) override {
    ranges.emplace_back(values - base_, static_cast<size_t>(values - base_) + count);
    return Communicator::self()->start_all_sum(values, count);
  }
  void broadcast(void*, size_t, int) override {}
  std::vector<std::string> gather(const std::string&) override { return {}; }
  void barrier() override {}
  [[noreturn]] void abort(int, const std::string&) override { std::abort(); }
  std::string host_name() const override { return ""; }
  std::string description() const override { return ""; }
  std::vector<std::pair<size_t, size_t>> ranges;

 private:
  float* base_;
};

TEST(GradientBuckets, SendsInOrderWhenFull) {
  std::vector<float> buffer(36);
  Recorder recorder(buffer.data());
  GradientBuckets buckets(recorder, buffer.data(), {0, 10, 20}, {10, 8, 10}, 6, 10 * sizeof(float));
  EXPECT_EQ(buckets.bucket_count(), 3u);
  buckets.ready(1);
  EXPECT_TRUE(recorder.ranges.empty());
  buckets.ready(0);
  EXPECT_EQ(recorder.ranges.size(), 2u);
  EXPECT_THROW(buckets.ready(0), Error);
  buckets.ready(2);
  EXPECT_EQ(recorder.ranges.size(), 2u);
  buckets.finish();
  const std::vector<std::pair<size_t, size_t>> expected = {{0, 10}, {10, 20}, {20, 36}};
  EXPECT_EQ(recorder.ranges, expected);
}

}  // namespace
}  // namespace wende

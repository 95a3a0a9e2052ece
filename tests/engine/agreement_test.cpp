#include "engine/agreement.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"

namespace wende {
namespace {

/// Rank 0 of several: what the others say is given.
class Told : public Communicator {
 public:
  explicit Told(std::vector<std::string> others) : others_(std::move(others)) {}
  int rank() const override { return 0; }
  int size() const override { return static_cast<int>(others_.size()) + 1; }
  void all_sum(float*, size_t) override {}
  void all_sum(double*, size_t) override {}
  void all_max(int64_t* values, size_t count) override {
    for (size_t i = 0; i < count; ++i) values[i] = std::max(values[i], other_extremes[i]);
  }
  std::unique_ptr<PendingSum> start_all_sum(float*, size_t) override { return nullptr; }
  void broadcast(void*, size_t, int) override {}
  std::vector<std::string> gather(const std::string& bytes) override {
    own = bytes;
    std::vector<std::string> all{bytes};
    for (const std::string& other : others_) all.push_back(other.empty() ? "far" + bytes.substr(4) : other);
    return all;
  }
  void barrier() override {}
  [[noreturn]] void abort(int, const std::string&) override { std::abort(); }
  std::string host_name() const override { return "near"; }
  std::string description() const override { return "told"; }

  std::string own;
  int64_t other_extremes[2] = {INT64_MIN, INT64_MIN};

 private:
  std::vector<std::string> others_;  ///< "" says the same as rank 0, from host "far"
};

TEST(Agreement, HashOfBytes) {
  std::set<uint64_t> seen;
  std::string text(200, 'a');
  for (size_t length = 0; length <= text.size(); ++length) {
    EXPECT_TRUE(seen.insert(hash64(text.data(), length)).second) << "length " << length;
  }
  for (size_t at = 0; at < text.size(); ++at) {  // one bit anywhere
    text[at] ^= 1;
    EXPECT_TRUE(seen.insert(hash64(text)).second) << "byte " << at;
    text[at] ^= 1;
  }
  EXPECT_EQ(hash64(text), hash64(std::string(200, 'a')));
}

TEST(Agreement, TheSameFromAnotherHostIsFine) {
  Told same({"", ""});
  EXPECT_NO_THROW(require_agreement(same, {{"config", "a"}, {"random_seed", "1"}}));
}

TEST(Agreement, NamesRankHostAndWhatDiffers) {
  Told first({""});
  require_agreement(first, {{"config", "a"}, {"random_seed", "2"}});
  std::string other = first.own;  // "near <config> <seed>" of a run with another seed
  other.replace(0, 4, "far");
  Told told({"", other});
  try {
    require_agreement(told, {{"config", "a"}, {"random_seed", "1"}});
    ADD_FAILURE() << "they do not agree";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_EQ(error.status(), ExitStatus::kRanksDisagree);
    EXPECT_NE(text.find("rank 2 (far): random_seed ("), std::string::npos) << text;
    EXPECT_EQ(text.find("config ("), std::string::npos) << text;
    EXPECT_EQ(text.find("rank 1"), std::string::npos) << text;
  }
}

TEST(Agreement, Parameters) {
  const Tensor values = Tensor::of<float>({1, 2, 3}, {3});
  Told same({""});
  EXPECT_NO_THROW(require_equal_parameters(same, values, 100));
  Told other({"far 0000000000000001"});
  other.other_extremes[0] = INT64_MAX;
  try {
    require_equal_parameters(other, values, 100);
    ADD_FAILURE() << "they do not agree";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("after step 100 the parameters are not the same"), std::string::npos) << text;
    EXPECT_NE(text.find("rank 1 (far): parameters"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace wende

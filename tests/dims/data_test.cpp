#include "dims/data.h"

#include <gtest/gtest.h>

namespace wende {
namespace {

class DataTest : public ::testing::Test {
 protected:
  Data make(std::vector<Dim> dims, const std::string& name = "x") const {
    Data data;
    data.name = name;
    data.dims = std::move(dims);
    data.set_default_marks();
    return data;
  }
  const Dim batch_ = Dim::batch();
  const Dim time_ = Dim::dynamic("time");
  const Dim f4_ = Dim::fixed(4, Dim::Kind::kFeature, "f4");
  const Dim f7_ = Dim::fixed(7, Dim::Kind::kFeature, "f7");
};

TEST_F(DataTest, DefaultMarks) {
  const Data dense = make({batch_, time_, f4_});
  EXPECT_EQ(dense.time_axis, 1);
  EXPECT_EQ(dense.feature_axis, 2);
  EXPECT_EQ(dense.str(), "[B,T|'time'[B],F|'f4'(4)] float32");
  Data sparse = make({batch_, time_});
  sparse.sparse_dim = f4_;
  sparse.dtype = DType::kInt32;
  sparse.set_default_marks();
  EXPECT_EQ(sparse.feature_axis, -1);
  EXPECT_EQ(sparse.str(), "[B,T|'time'[B]] int32 sparse 'f4'(4)");
  EXPECT_EQ(make({batch_, f4_}).time_axis, -1);
  EXPECT_EQ(make({time_, Dim::dynamic("enc"), batch_, Dim::fixed(1)}).time_axis, 0);
}

TEST_F(DataTest, ChangesMoveMarks) {
  const Data dense = make({batch_, time_, f4_});
  EXPECT_EQ(dense.without_axis(0).time_axis, 0);
  EXPECT_EQ(dense.without_axis(1).time_axis, -1);
  EXPECT_EQ(dense.without_axis(1).feature_axis, 1);
  const Data swapped = dense.permuted({1, 0, 2});
  EXPECT_EQ(swapped.time_axis, 0);
  EXPECT_EQ(swapped.batch_axis(), 1);
  EXPECT_EQ(dense.with_axis(1, Dim::fixed(3)).feature_axis, 3);
  EXPECT_TRUE(dense.with_feature(f7_).dims[2] == f7_);
  EXPECT_EQ(dense.without_axis(2).with_feature(f7_).feature_axis, 2);
}

TEST_F(DataTest, CommonLayout) {
  const Data batch_major = make({batch_, time_, f4_});
  const Data time_major = make({time_, batch_, f7_});
  EXPECT_EQ(common_layout({batch_major, time_major}, "c").batch_axis(), 0);
  EXPECT_EQ(common_layout({time_major, batch_major}, "c").batch_axis(), 1);
  const Data vector = make({batch_, f7_});
  const Data common = common_layout({vector, time_major}, "c");
  EXPECT_EQ(common.rank(), 3);
  EXPECT_EQ(common.batch_axis(), 1);
}

TEST_F(DataTest, CommonLayoutKeepsBothTimes) {
  const Data a = make({batch_, time_, f4_});
  const Data b = make({batch_, Dim::dynamic("other"), f4_});
  const Data common = common_layout({a, b}, "c");
  EXPECT_EQ(common.rank(), 4);
  EXPECT_EQ(common.time_axis, 1);
  EXPECT_EQ(common.feature_axis, 3);
}

}  // namespace
}  // namespace wende

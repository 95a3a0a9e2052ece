#include <gtest/gtest.h>

#include "network_of.h"

namespace wende {
namespace {

ExternData extern_data(const std::string& source) {
  return ExternData::from_config(Config::from_source(source, "test.config"));
}

TEST(ExternData, DictForms) {
  const ExternData data = extern_data(R"(
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "vec": {"shape": (2,), "dim": 2},
               "img": {"shape": (None, 3, 4), "dim": 4}, "pair": (7, 2), "label": (4, 1),
               "att": {"shape": (None, None, 1), "dim": 1, "batch_dim_axis": 2, "time_dim_axis": 0}}
)");
  const Data& dense = data.keys.at("data");
  EXPECT_EQ(dense.str(), "[B,T|'time:var:extern_data:data'[B],F|'data:feature'(6)] float32");
  EXPECT_TRUE(dense.available_for_inference);
  const Data& sparse = data.keys.at("classes");
  EXPECT_EQ(sparse.rank(), 2);
  EXPECT_EQ(sparse.dtype, DType::kInt32);
  EXPECT_EQ(sparse.sparse_dim.size(), 5);
  EXPECT_FALSE(sparse.available_for_inference);
  EXPECT_EQ(data.keys.at("vec").time_axis, -1);
  EXPECT_EQ(data.keys.at("vec").feature_axis, 1);
  EXPECT_EQ(data.keys.at("img").feature_axis, 3);
  EXPECT_EQ(data.keys.at("pair").dims[2].size(), 7);
  EXPECT_TRUE(data.keys.at("label").sparse());
  const Data& att = data.keys.at("att");
  EXPECT_EQ(att.batch_axis(), 2);
  EXPECT_EQ(att.time_axis, 0);
  EXPECT_EQ(att.feature_axis, 3);
  EXPECT_TRUE(att.dims[2] == dense.dims[0]);
  EXPECT_FALSE(att.time_dim() == dense.time_dim());
}

TEST(ExternData, OldOptions) {
  const ExternData data = extern_data("num_inputs = 9\nnum_outputs = {'classes': (3, 1), 'aux': [4, 2]}\n");
  EXPECT_EQ(data.keys.at("data").dims[2].size(), 9);
  EXPECT_EQ(data.keys.at("classes").sparse_dim.size(), 3);
  EXPECT_EQ(data.keys.at("aux").dims[2].size(), 4);
  const ExternData plain = extern_data("num_inputs = 9\nnum_outputs = 2\ntarget = 'labels'\n");
  EXPECT_EQ(plain.keys.at("labels").sparse_dim.size(), 2);
}

TEST(ExternData, ErrorsAtTheEntry) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"extern_data = {'data': {'dim': 0}}", "dim must be > 0"},
      {"extern_data = {'data': {'dims': ['t']}}", "a dim tag or an int"},
      {"extern_data = {'data': {'dimm': 3}}", "did you mean 'dim'?"},
      {"extern_data = {'data': 3}", "must be a dict or (dim, ndim)"},
      {"extern_data = {'data': {'sparse': True}}", "needs dim"},
      {"extern_data = {'data': {'shape': (None, 3), 'dim': 4}}", "does not fit"},
      {"extern_data = [1]", "extern_data must be a dict, got list"},
  };
  for (const auto& [source, part] : cases) {
    try {
      extern_data(source);
      ADD_FAILURE() << "no error: " << source;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("test.config:1"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace wende

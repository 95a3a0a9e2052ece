#include <gtest/gtest.h>

#include "config_of.h"
#include "dataset/batch.h"

namespace wende {
namespace {

using Numbers = std::map<std::string, int64_t>;

Value of(int64_t number) { return Value::of(number); }

BatchOptions train_options(const Value& chunking) {
  return BatchOptions::from_config(config_of({{"chunking", chunking}}), "train", true);
}

TEST(BatchOptionsTest, ChunkingInAllItsForms) {
  const Value both = dict_of({{"data", of(50)}, {"classes", of(5)}});
  const Value half = dict_of({{"data", of(25)}, {"classes", of(2)}});
  EXPECT_EQ(train_options(Value::of("100:75")).chunk_step, (Numbers{{"", 75}}));
  EXPECT_EQ(train_options(Value::of("100:75")).chunk_size, (Numbers{{"", 100}}));
  EXPECT_EQ(train_options(Value::of("60")).chunk_step, (Numbers{{"", 60}}));
  EXPECT_EQ(train_options(of(60)).chunk_size, (Numbers{{"", 60}}));
  EXPECT_EQ(train_options(Value::list({of(60), of(0)}, Value::Kind::kTuple)).chunk_step, (Numbers{{"", 60}}));
  EXPECT_EQ(train_options(both).chunk_step, (Numbers{{"data", 50}, {"classes", 5}}));
  EXPECT_EQ(train_options(Value::list({both, half}, Value::Kind::kTuple)).chunk_step,
            (Numbers{{"data", 25}, {"classes", 2}}));
  EXPECT_TRUE(train_options(Value::of("0")).chunk_size.empty());
  EXPECT_TRUE(train_options(of(0)).chunk_size.empty());
  EXPECT_THROW(train_options(Value::of("a:b")), Error);
  EXPECT_THROW(train_options(Value::list({both, of(3)}, Value::Kind::kTuple)), Error);
  EXPECT_THROW(train_options(of(-1)), Error);
}

TEST(BatchOptionsTest, RolesTakeWhatReturnnGivesThem) {
  Config config = config_of({{"chunking", Value::of("100:75")},
                             {"batch_size", of(4000)},
                             {"forward_batch_size", of(700)},
                             {"max_seqs", of(40)},
                             {"max_seq_length", dict_of({{"classes", of(75)}})},
                             {"min_seq_length", of(3)}});
  const BatchOptions train = BatchOptions::from_config(config, "train", true);
  EXPECT_EQ(train.batch_size, (Numbers{{"", 4000}}));
  EXPECT_EQ(train.max_seqs, 40);
  EXPECT_EQ(train.max_seq_length, (Numbers{{"classes", 75}}));
  EXPECT_EQ(train.min_seq_length, (Numbers{{"", 3}}));
  EXPECT_FALSE(train.frame_mode);
  const BatchOptions dev = BatchOptions::from_config(config, "dev", false);
  EXPECT_TRUE(dev.chunk_size.empty());
  EXPECT_TRUE(dev.min_seq_length.empty());
  EXPECT_EQ(dev.max_seq_length.size(), 1U);
  EXPECT_TRUE(dev.frame_mode);
  const BatchOptions forward = BatchOptions::from_config(config, "forward", false);
  EXPECT_EQ(forward.batch_size, (Numbers{{"", 700}}));
  EXPECT_FALSE(forward.frame_mode);
  config.set("dev", dict_of({{"class", Value::of("HDFDataset")}, {"chunking", of(30)}}));
  EXPECT_EQ(BatchOptions::from_config(config, "dev", true).chunk_size, (Numbers{{"", 30}}));
}

TEST(BatchOptionsTest, LimitsAreChecked) {
  EXPECT_THROW(BatchOptions::from_config(config_of({{"batch_size", of(0)}}), "train", true), Error);
  EXPECT_THROW(BatchOptions::from_config(config_of({{"batch_size", Value::of("big")}}), "train", true), Error);
  EXPECT_THROW(BatchOptions::from_config(config_of({{"max_seqs", of(0)}}), "train", true), Error);
  EXPECT_EQ(BatchOptions::from_config(config_of({{"max_seq_length", of(-75)}}), "train", true).max_seq_length,
            (Numbers{{"classes", 75}}));
}

}  // namespace
}  // namespace wende

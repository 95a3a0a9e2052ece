#include <gtest/gtest.h>

#include "layers/layer.h"
#include "layers/loss.h"

namespace wende {
namespace {

TEST(Registry, EveryClassHasDocAndExample) {
  const auto names = LayerRegistry::instance().names();
  EXPECT_GT(names.size(), 10u);
  for (const std::string& name : names) {
    const LayerClass* entry = LayerRegistry::instance().find(name);
    ASSERT_NE(entry, nullptr);
    EXPECT_FALSE(entry->doc.empty()) << name;
    const bool in_search_only =
        name == "choice_get_beam_scores" || name == "choice_get_src_beams" || name == "split_batch_beam";
    EXPECT_NE(entry->examples.empty(), !in_search_only) << name;
    for (const auto& field : entry->fields()) {
      EXPECT_FALSE(field.doc.empty()) << name << "." << field.name;
    }
  }
}

TEST(Registry, Aliases) {
  EXPECT_EQ(LayerRegistry::instance().find("hidden"), LayerRegistry::instance().find("linear"));
  EXPECT_EQ(LayerRegistry::instance().find("no_such_layer"), nullptr);
  EXPECT_NE(LossRegistry::instance().find("sse_sigmoid"), nullptr);
}

TEST(Registry, UnknownOptionNamesTheClosest) {
  const Value options =
      Value::dict({{Value::of("class"), Value::of("linear")}, {Value::of("drop_out"), Value::of(0.1)}});
  try {
    LayerRegistry::instance().find("linear")->make(options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("'dropout'"), std::string::npos) << error.what();
  }
}

TEST(Registry, LossReadsGeneralOptions) {
  const Value options =
      Value::dict({{Value::of("scale"), Value::of(2.0)}, {Value::of("use_normalized_loss"), Value::of(true)}});
  const auto loss = LossRegistry::instance().find("ce")->make(options);
  EXPECT_EQ(loss->scale, 2.0);
  EXPECT_TRUE(loss->use_normalized_loss);
}

}  // namespace
}  // namespace wende

#include "config/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/clock.h"
#include "config/args.h"
#include "test_folder.h"

namespace wende {
namespace {

/// The rendered error of a config, with its status in front.
std::string error_of(const std::string& source) {
  try {
    Config::from_source(source, "my.config");
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.status())) + " " + error.what();
  }
  return "no error";
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const char* kSource = R"(#!rnn.py
import os
task = "train"
n = 2 * 5
_private = 1
network = {
  "fw0": {"class": "linear",
          "dropout": 0.1, "from": ["data", "x"]},
  "out": dict(
      loss="ce"),
}
network["late"] = {
  "class": "copy"}
for i in range(3):
  network["fw%i" % (i + 1)] = {"class": "linear", "n_out": i}
def get_network(epoch):
  return {"epoch": epoch, "n": n}
)";

TEST(Config, ConvertsGlobalsWithPlaces) {
  const Config config = Config::from_source(kSource, "my.config");
  EXPECT_EQ(config.get_string("task", ""), "train");
  EXPECT_EQ(config.get_int("n", 0), 10);
  EXPECT_FALSE(config.has("os"));
  EXPECT_FALSE(config.has("_private"));
  EXPECT_FALSE(config.has("config"));
  const Value& network = *config.find("network");
  EXPECT_EQ(network.span().line, 6);
  const Value& dropout = *network.find("fw0")->find("dropout");
  EXPECT_EQ(dropout.span().str(), "my.config:8");
  EXPECT_EQ(dropout.path(), "network['fw0']['dropout']");
  EXPECT_EQ(network.find("fw0")->find("from")->items()[1].path(), "network['fw0']['from'][1]");
  EXPECT_EQ(network.find("out")->find("loss")->span().line, 10);
  EXPECT_EQ(network.find("late")->find("class")->span().line, 13);
  EXPECT_EQ(network.find("fw3")->find("n_out")->span().line, 15) << "the only literal that may have made it";
  EXPECT_EQ(network.find("fw3")->find("class")->span().line, 6) << "the nearest known place: one of two literals";
  EXPECT_EQ(config.find("get_network")->span().line, 16);
}

TEST(Config, CallsFunctionsAndLocatesTheirErrors) {
  const Config config = Config::from_source(
      "def f(epoch, **more):\n  return [epoch, more]\ndef g(x):\n  y = 1\n  return x['k']\n"
      "h = lambda x: x + 1\nd = {'f': lambda: None}\n",
      "my.config");
  const Value result = config.find("f")->as_callable().call({Value::of(int64_t{3})}, {{"a", Value::of("b")}});
  EXPECT_EQ(result.repr(), "[3, {'a': 'b'}]");
  EXPECT_EQ(config.find("h")->as_callable().call({Value::of(1.5)}, {}).as_float(), 2.5);
  try {
    config.find("g")->as_callable().call({Value::dict({})}, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(has(error.what(), "my.config:5")) << error.what();
    EXPECT_TRUE(has(error.what(), "KeyError: 'k'")) << error.what();
  }
}

TEST(Config, OverridesAreLiteralsOrStrings) {
  const std::string path = test_path("override.config");
  {
    FILE* file = fopen(path.c_str(), "w");
    fputs("a = 1\nb = 2\nseen = config.typed_value('a')\n", file);
    fclose(file);
  }
  const Config config = Config::from_file(path, {.overrides = {"++a", "[1, 2.5]", "b", "some/path.hdf"}});
  EXPECT_EQ(config.find("a")->repr(), "[1, 2.5]");
  EXPECT_EQ(config.find("seen")->repr(), "[1, 2.5]");
  EXPECT_EQ(config.get_string("b", ""), "some/path.hdf");
}

TEST(Config, WarnsOfKeysGivenTwice) {
  const Config config = Config::from_source("network = {\n 'a': {'class': 'x'},\n 'a': {'class': 'y'}}\n", "my.config");
  ASSERT_EQ(config.warnings().size(), 1u);
  EXPECT_EQ(config.warnings()[0].render(),
            "my.config:3: network['a']: key given twice; line 2 is ignored, line 3 counts");
  EXPECT_EQ(config.find("network")->find("a")->find("class")->span().line, 3);
}

TEST(Config, ErrorsOfTheLanguage) {
  std::string text = error_of("a = 1\nnum_epochs = = 2\n");
  EXPECT_EQ(text, "78 my.config:2: invalid syntax\n  num_epochs = = 2\n               ^");
  text = error_of("\nnetwork = {\"a\": {\nx = 1\n");
  EXPECT_TRUE(has(text, "my.config:2: '{' was never closed")) << text;
  EXPECT_TRUE(has(error_of("print \"x\"\n"), "my.config:1")) << error_of("print \"x\"\n");
  EXPECT_TRUE(has(error_of("print \"x\"\n"), "this is Python 2 syntax"));
  text = error_of("foo_bar = 1\nnum_epochs = foobar\n");
  EXPECT_TRUE(has(text, "78 my.config:2: NameError: name 'foobar' is not defined\n  did you mean 'foo_bar'?")) << text;
  EXPECT_TRUE(has(error_of("import sys\nsys.exit(3)\n"), "my.config:2: SystemExit"));
  EXPECT_TRUE(has(error_of("a = []\na.append(a)\n"), "contains itself"));
}

TEST(Config, ErrorsOfImports) {
  std::string text = error_of("from returnn.tf.util.data import Xyz\n");
  EXPECT_TRUE(has(text, "my.config:1: ImportError: cannot import name 'Xyz'")) << text;
  EXPECT_TRUE(has(text, "SpatialDim")) << text;
  EXPECT_TRUE(has(text, "configs may import: returnn, ")) << text;
  EXPECT_TRUE(has(error_of("import returnn.nothing\n"), "configs may import")) << error_of("import returnn.nothing\n");
  text = error_of("import no_such_module_x\n");
  EXPECT_TRUE(has(text, "no_such_module_x")) << text;
  EXPECT_TRUE(has(text, "WENDE_PYTHONPATH")) << text;
}

TEST(Config, ErrorsOfFiles) {
  EXPECT_TRUE(has(error_of(std::string("\xff\xfe"
                                       "a\0",
                                       4)),
                  "UTF-16"));
  EXPECT_TRUE(has(error_of(std::string("a = 1\n\0", 7)), "NUL bytes"));
  EXPECT_TRUE(has(error_of(" \n"), "empty"));
  EXPECT_TRUE(has(error_of("\x7f"
                           "ELF..."),
                  "binary"));
  EXPECT_TRUE(has(error_of("# old\nnum_epochs 5\ntask train\n"), "`key value` format"));
  EXPECT_THROW(Config::from_file("/"), Error);
  try {
    Config::from_file("/no/such/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kMissingInput);
  }
}

TEST(Config, StopsEndlessLoops) {
  setenv("WENDE_CONFIG_SECONDS", "0.1", 1);
  const std::string text = error_of("a = 1\nwhile True:\n  a += 1\n");
  unsetenv("WENDE_CONFIG_SECONDS");
  EXPECT_TRUE(has(text, "config evaluation exceeded 0.1 s")) << text;
  EXPECT_TRUE(has(text, "my.config:2") || has(text, "my.config:3")) << text;
}

TEST(Config, StopsWhatGrowsTooLarge) {
  setenv("WENDE_CONFIG_GIB", "0.05", 1);
  const std::string by_steps = error_of("a = []\nwhile True:\n  a.append(bytes(2 ** 20))\n");
  const std::string at_once = error_of("b = 1\na = [0] * 10 ** 11\n");
  unsetenv("WENDE_CONFIG_GIB");
  EXPECT_TRUE(has(by_steps, "config evaluation exceeded 0.05 GiB")) << by_steps;
  EXPECT_TRUE(has(by_steps, "my.config:3") || has(by_steps, "my.config:2")) << by_steps;
  EXPECT_TRUE(has(at_once, "my.config:2") && has(at_once, "config evaluation exceeded 0.05 GiB")) << at_once;
  EXPECT_EQ(Config::from_source("a = [0] * 10 ** 6", "my.config").find("a")->items().size(), 1000000U);
}

TEST(Config, ReadsJson) {
  const Config config = Config::from_source("{\"a\": true,\n \"network\": {\"x\": {\"n_out\": null}}}", "c.json");
  EXPECT_TRUE(config.get_bool("a", false));
  EXPECT_EQ(config.find("network")->find("x")->span().line, 2);
  EXPECT_EQ(config.find("network")->find("x")->find("n_out")->path(), "network['x']['n_out']");
}

TEST(Config, DimsKeepTheirIdentity) {
  const Config config = Config::from_source(
      "from returnn.tf.util.data import SpatialDim, FeatureDim, batch_dim\nt = SpatialDim('time')\nf = FeatureDim('f', "
      "5)\n"
      "a = {'shape': [batch_dim, t, f], 'more': t}\ng = f + 2\n",
      "my.config");
  const Value& shape = *config.find("a")->find("shape");
  EXPECT_EQ(shape.items()[1].kind(), Value::Kind::kDim);
  EXPECT_EQ(shape.items()[1].find("id")->as_int(), config.find("t")->find("id")->as_int());
  EXPECT_NE(shape.items()[2].find("id")->as_int(), config.find("t")->find("id")->as_int());
  EXPECT_EQ(shape.items()[0].find("kind")->as_string(), "batch");
  EXPECT_EQ(config.find("g")->find("dimension")->as_int(), 7);
  EXPECT_EQ(config.find("g")->find("op")->as_string(), "add");
}

TEST(Config, NumpyIfThere) {
  Config config;
  try {
    config =
        Config::from_source("import numpy\na = numpy.float32(0.5)\nb = numpy.ones((2, 3), 'int32')\n", "my.config");
  } catch (const Error&) {
    GTEST_SKIP() << "no numpy";
  }
  EXPECT_EQ(config.find("a")->as_float(), 0.5);
  EXPECT_EQ(config.find("b")->kind(), Value::Kind::kArray);
  EXPECT_EQ(config.find("b")->as_array().first, (std::vector<int64_t>{2, 3}));
}

struct SomeArgs {
  double dropout = 0;
  int64_t n_out = 0;
  template <class V>
  void fields(V& v) {
    v.field("dropout", dropout, "drop rate");
    v.field("n_out", n_out, "size");
  }
};

TEST(Args, ReportsAllMistakesAtOnce) {
  const Config config = Config::from_source("x = {\n 'drop_out': 0.1,\n 'n_out': '10'}\n", "my.config");
  SomeArgs args;
  ArgsReader reader(*config.find("x"));
  args.fields(reader);
  try {
    reader.finish("layer class 'linear'");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "my.config:3: x['n_out']: expected an int, got str '10'\n  remove the quotes\n"
                 "my.config:2: x['drop_out']: unknown option 'drop_out' for layer class 'linear'\n"
                 "  did you mean 'dropout'?        [WENDE-C104]");
  }
}

TEST(Config, LoadsEveryFileOfAFolder) {
  const char* folders = std::getenv("WENDE_TEST_CONFIGS");
  if (!folders) GTEST_SKIP() << "set WENDE_TEST_CONFIGS to a folder";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folders)) {
    const std::string extension = entry.path().extension();
    if (extension != ".py" && extension != ".config") continue;
    const double start = monotonic_seconds();
    EXPECT_NO_THROW(EXPECT_TRUE(Config::from_file(entry.path()).has("network"))) << entry.path();
    printf("%s %.1f ms\n", entry.path().filename().c_str(), (monotonic_seconds() - start) * 1e3);
  }
}

}  // namespace
}  // namespace wende

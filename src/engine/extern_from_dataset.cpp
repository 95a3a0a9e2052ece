#include "engine/extern_from_dataset.h"

#include <string>
#include <utility>
#include <vector>

#include "dataset/dataset.h"

namespace wende {
namespace {

const Value* given(const Config& config, const char* key) {
  const Value* value = config.find(key);
  return value != nullptr && !value->is_none() ? value : nullptr;
}

/// The arguments of RETURNN's Data for one key: time first, features last.
Value data_of_key(const KeyInfo& key) {
  std::vector<Value> shape(static_cast<size_t>(key.rank));
  const bool features = !key.sparse && key.rank >= 2;
  if (features) {
    shape.back() = Value::of(key.dim);
  }
  std::vector<Value::Entry> entries{{Value::of("shape"), Value::list(std::move(shape), Value::Kind::kTuple)},
                                    {Value::of("sparse"), Value::of(key.sparse)},
                                    {Value::of("dtype"), Value::of(std::string(name_of(key.dtype)))}};
  if (features || key.sparse) {
    entries.emplace_back(Value::of("dim"), Value::of(key.dim));
  }
  return Value::dict(std::move(entries));
}

}  // namespace

Config with_extern_data(Config config) {
  if (given(config, "extern_data") || given(config, "num_inputs") || given(config, "num_outputs")) {
    return config;
  }
  for (const char* role : {"train", "dev", "eval"}) {
    const Value* options = given(config, role);
    if (options == nullptr) {
      continue;
    }
    std::vector<Value::Entry> keys;
    for (const auto& [name, info] : make_dataset(*options, config, role)->keys()) {
      keys.emplace_back(Value::of(name), data_of_key(info));
    }
    config.set("extern_data", Value::dict(std::move(keys)).placed(options->span(), "extern_data"));
    break;
  }
  return config;
}

}  // namespace wende

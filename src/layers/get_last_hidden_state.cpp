#include <fmt/core.h>

#include "layers/layer_builder.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct LastStateArgs {
  Value key;
  std::string combine = "concat";

  template <class V>
  void fields(V& v) {
    v.field("key", key, "\"*\" = c and h concatenated, \"c\" or \"h\"");
    v.field("combine", combine, "concat or add, for several states");
  }
};

class GetLastHiddenStateLayer : public Layer {
 public:
  explicit GetLastHiddenStateLayer(LastStateArgs args) : args_(std::move(args)) {
    if (args_.key.is_none()) {
      args_.key = Value::of("*");
    }
    if (args_.combine != "concat" && args_.combine != "add") {
      throw Error(ExitStatus::kConfig, "combine must be \"concat\" or \"add\", got '" + args_.combine + "'");
    }
  }

  Data out_data(const LayerContext& context) override {
    if (context.sources.empty() || !context.n_out) {
      throw context.options.error("get_last_hidden_state needs 'from' and 'n_out'");
    }
    const Data& x = context.sources[0];
    if (!x.has_batch()) {
      throw context.options.error("get_last_hidden_state needs a recurrent layer as input, got " + x.str());
    }
    Data out;
    out.name = context.name;
    out.dims = {x.dims[static_cast<size_t>(x.batch_axis())],
                Dim::fixed(*context.n_out, Dim::Kind::kFeature, context.absolute_name + ":state")};
    out.feature_axis = 1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    std::vector<Expr> parts;
    for (int i = 0; i < builder.source_count(); ++i) {
      for (const std::string& key : keys(builder, i)) {
        parts.push_back(builder.source_sub_output(i, key).expr);
      }
    }
    const Dim& out = builder.out_data().dims[1];
    Expr state = parts[0];
    if (args_.combine == "add") {
      for (size_t i = 1; i < parts.size(); ++i) {
        state = ops::add(state, parts[i]);
      }
    } else if (parts.size() > 1) {
      int64_t size = 0;
      for (const Expr& part : parts) {
        size += part.dim(1).size();
      }
      state = ops::concat(parts, 1, size == out.size() ? out : Dim::fixed(size));
    }
    if (state.dim(1).size() != out.size()) {
      throw builder.context().options.error(
          fmt::format("n_out is {} but the last hidden state has size {}", out.size(), state.dim(1).size()));
    }
    return state;
  }

 private:
  std::vector<std::string> keys(LayerBuilder& builder, int source) const {
    const auto has = [&](const char* key) { return builder.source_sub_output(source, key).expr.defined(); };
    if (!has("last_h")) {
      throw builder.context().options.error("get_last_hidden_state: the input has no recurrent state");
    }
    const Value& key = args_.key;
    const bool cell = has("last_c");
    if (key.is_number() && key.as_float() <= 1) {
      return {cell && key.as_float() == 0 ? "last_c" : "last_h"};
    }
    const std::string& word = key.as_string();
    if (word == "*") {
      return cell ? std::vector<std::string>{"last_c", "last_h"} : std::vector<std::string>{"last_h"};
    }
    if (word == "h" || (word == "c" && cell)) {
      return {"last_" + word};
    }
    throw key.error("the recurrent state has no key '" + word + "'");
  }

  LastStateArgs args_;
};

const RegisterLayer<GetLastHiddenStateLayer, LastStateArgs> kRegister{
    "get_last_hidden_state",
    {},
    "The state of a recurrent layer after its last frame, [B,F].",
    {R"({"class": "get_last_hidden_state", "key": "h", "n_out": 3, "from": "lstm"})"}};

}  // namespace
}  // namespace wende

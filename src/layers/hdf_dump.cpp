#include <fmt/core.h>

#include "layers/layer_builder.h"

namespace wende {
namespace {

struct HdfDumpArgs {
  Value filename, extra, labels;
  bool dump_whole_batches = false;
  bool extend_existing_file = false;
  bool dump_per_run = false;

  template <class V>
  void fields(V& v) {
    v.field("filename", filename, "file to write; with dump_per_run a format string or a function");
    v.field("extra", extra, "dict of further keys: layers whose output is stored too");
    v.field("dump_whole_batches", dump_whole_batches, "one sequence per batch, with padding");
    v.field("labels", labels, "names of the features or classes");
    v.field("extend_existing_file", extend_existing_file, "appends to a file that exists");
    v.field("dump_per_run", dump_per_run, "closes the file after each pass over a data set");
  }
};

class HdfDumpLayer : public Layer {
 public:
  explicit HdfDumpLayer(HdfDumpArgs args) : args_(std::move(args)) {
    if (args_.filename.is_none()) {
      throw Error(ExitStatus::kConfig, "hdf_dump needs 'filename'");
    }
    if (args_.filename.is_callable() && !args_.dump_per_run) {
      throw args_.filename.error("a function as filename needs dump_per_run");
    }
    if (!args_.filename.is_callable() && !args_.filename.is_string()) {
      throw args_.filename.error("filename must be a string or a function");
    }
    if (!args_.extra.is_none()) {
      for (const auto& [key, layer] : args_.extra.entries()) {
        extra_.emplace_back(key.as_string(), layer.as_string());
      }
    }
  }

  std::vector<std::string> refs() const override {
    std::vector<std::string> names;
    for (const auto& [key, layer] : extra_) {
      names.push_back(layer);
    }
    return names;
  }

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error(fmt::format("hdf_dump takes one input, got {}", context.sources.size()));
    }
    const Data& x = context.sources[0];
    if (!x.has_time()) {
      throw context.options.error("hdf_dump needs an input with time axis, got " + x.str());
    }
    if (args_.labels.is_sequence()) {
      const Dim dim = x.feature_or_sparse_dim();
      const auto count = static_cast<int64_t>(args_.labels.items().size());
      if (dim.defined() && dim.is_static() && dim.size() != count) {
        throw args_.labels.error(fmt::format("{} labels for dim {}", count, dim.size()));
      }
    }
    return x.with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.source(0);
    const std::string& layer = builder.context().absolute_name;
    const Value& options = builder.context().options;
    builder.add_sink({layer, x.data, x.expr, layer, options});
    for (const auto& [key, name] : extra_) {
      const LayerOutput extra = builder.ref(name);
      builder.add_sink({layer + "/" + key, extra.data, extra.expr, layer, options});
    }
    return x.expr;
  }

 private:
  HdfDumpArgs args_;
  std::vector<std::pair<std::string, std::string>> extra_;
};

const RegisterLayer<HdfDumpLayer, HdfDumpArgs> kRegister{
    "hdf_dump",
    {},
    "Writes its input to an HDF file that HDFDataset reads.",
    {R"({"class": "hdf_dump", "filename": "out.hdf", "from": "data", "is_output_layer": True})"}};

}  // namespace
}  // namespace wende

#include "engine/hdf_dump_callback.h"

#include <fmt/core.h>

#include "base/error.h"
#include "engine/observers.h"
#include "engine/run_outputs.h"
#include "io/checkpoint.h"

namespace wende {

/// One hdf_dump layer: its sinks, its options, the file that is open.
struct HdfDumpCallback::Dump {
  std::string layer;
  int main = -1;                                   ///< index into the sinks
  std::vector<std::pair<std::string, int>> extra;  ///< key -> index into the sinks
  std::vector<Data> data;                          ///< template of every sink
  Value options;
  bool whole_batches = false;
  bool per_run = false;
  bool with_sizes = true;  ///< hdf_dump layers write "seq_sizes"; the task forward's output_file does not
  std::unique_ptr<HdfDumpWriter> writer;
};

namespace {

bool flag(const Value& options, const std::string& key) {
  const Value* value = options.find(key);
  return value != nullptr && !value->is_none() && value->as_bool();
}

/// Row names inside one gathered block: "<row>/data", "<row>/sizes", "<row>/extra/<key>".
std::string row_name(size_t row, const std::string& part) { return fmt::format("{:06}/{}", row, part); }

/// Sizes of one sequence: lengths of dynamic axes, and static sizes too where `all_axes`.
std::vector<int32_t> row_sizes(const ReadableOutput& readable, const Data& data, int64_t b, bool all_axes) {
  std::vector<int32_t> sizes;
  for (int axis = 1; axis < readable.values.rank(); ++axis) {
    bool dynamic = false;
    for (const auto& [sized_axis, lengths] : readable.sizes) {
      if (sized_axis == axis) {
        sizes.push_back(lengths[static_cast<size_t>(b)]);
        dynamic = true;
      }
    }
    const bool feature = axis == readable.values.rank() - 1 && data.feature_axis >= 0;
    if (!dynamic && (all_axes || !feature)) {
      sizes.push_back(static_cast<int32_t>(readable.values.dim(axis)));
    }
  }
  return sizes;
}

Tensor without_batch(const Tensor& slice) { return slice.clone().reshaped(slice.shape().without(0)); }

Tensor int_vector(const std::vector<int32_t>& values) {
  return Tensor::of<int32_t>(values, {static_cast<int64_t>(values.size())});
}

HdfDumpWriter::Options writer_options(const Value& options, const Data& data, const std::string& path) {
  HdfDumpWriter::Options result;
  result.path = path;
  result.sparse = data.sparse();
  const Dim feature = data.feature_or_sparse_dim();
  result.dim = feature.defined() && feature.is_static() ? feature.size() : 0;
  result.rank = data.sparse() ? 1 : 2;
  result.extend_existing_file = flag(options, "extend_existing_file");
  if (const Value* labels = options.find("labels"); labels != nullptr && !labels->is_none()) {
    for (const Value& label : labels->items()) {
      result.labels.push_back(label.as_string());
    }
  }
  return result;
}

std::pair<int64_t, int64_t> extra_type(const Data& data) {
  const Dim feature = data.feature_or_sparse_dim();
  const int64_t dim = feature.defined() && feature.is_static() ? feature.size() : 1;
  return {dim, data.rank() - (data.has_batch() ? 1 : 0)};
}

}  // namespace

HdfDumpCallback::HdfDumpCallback(const std::vector<Sink>& sinks, Communicator& communicator)
    : communicator_(communicator) {
  std::map<std::string, Dump*> by_layer;
  std::vector<Data> data;
  for (const Sink& sink : sinks) {
    data.push_back(sink.data);
  }
  for (size_t i = 0; i < sinks.size(); ++i) {
    const Sink& sink = sinks[i];
    if (is_image_sink(sink)) {
      continue;
    }
    Dump*& dump = by_layer[sink.layer];
    if (dump == nullptr) {
      dumps_.push_back(std::make_unique<Dump>());
      dump = dumps_.back().get();
      dump->layer = sink.layer;
      dump->options = sink.options;
      dump->whole_batches = flag(sink.options, "dump_whole_batches");
      dump->per_run = flag(sink.options, "dump_per_run");
      dump->with_sizes = sink.options.find("class") != nullptr;
      dump->data = data;
    }
    if (sink.name == sink.layer) {
      dump->main = static_cast<int>(i);
    } else {
      dump->extra.emplace_back(sink.name.substr(sink.layer.size() + 1), static_cast<int>(i));
    }
  }
}

HdfDumpCallback::~HdfDumpCallback() = default;

void HdfDumpCallback::begin_run(const std::string& dataset_name, int epoch) {
  dataset_name_ = dataset_name;
  epoch_ = epoch;
}

void HdfDumpCallback::open(Dump& dump) {
  const Value* filename = dump.options.find("filename");
  std::string path;
  if (filename->is_callable()) {
    path = filename->as_callable()
               .call({}, {{"epoch", Value::of(int64_t{epoch_})}, {"dataset_name", Value::of(dataset_name_)}})
               .as_string();
  } else {
    path = filename->as_string();
  }
  if (dump.per_run) {
    const auto replace = [&path](const std::string& mark, const std::string& value) {
      for (size_t at = path.find(mark); at != std::string::npos; at = path.find(mark)) {
        path.replace(at, mark.size(), value);
      }
    };
    replace("{epoch}", std::to_string(epoch_));
    replace("{dataset_name}", dataset_name_);
  }
  HdfDumpWriter::Options options = writer_options(dump.options, dump.data[static_cast<size_t>(dump.main)], path);
  if (dump.with_sizes) {
    options.extra_types["seq_sizes"] = {1, dump.whole_batches ? 2 : 1};
  }
  if (dump.whole_batches) {
    options.extra_types["seq_tags"] = {1, 1};
  }
  for (const auto& [key, sink] : dump.extra) {
    options.extra_types[key] = extra_type(dump.data[static_cast<size_t>(sink)]);
    options.extra_types[key + "_seq_lens"] = {1, 1};
  }
  dump.writer = std::make_unique<HdfDumpWriter>(std::move(options));
}

void HdfDumpCallback::add_batch(const Batch& batch, const std::vector<Tensor>& values, const Binding& binding) {
  for (const std::unique_ptr<Dump>& dump : dumps_) {
    std::map<std::string, Tensor> rows;
    std::string tags;
    if (batch.size() > 0) {
      const size_t main = static_cast<size_t>(dump->main);
      // RETURNN writes extras and whole batches with whatever stands in padding.
      const ReadableOutput readable = make_readable(dump->data[main], values[main], binding, Padding::kKeep);
      std::map<std::string, ReadableOutput> extras;
      for (const auto& [key, sink] : dump->extra) {
        const size_t index = static_cast<size_t>(sink);
        extras.emplace(key, make_readable(dump->data[index], values[index], binding, Padding::kKeep));
      }
      if (dump->whole_batches) {
        rows[row_name(0, "data")] = readable.values;
      }
      for (int64_t b = 0; b < batch.size(); ++b) {
        const size_t row = static_cast<size_t>(b);
        tags += batch.tags[row] + "\n";
        const std::vector<int32_t> sizes = row_sizes(readable, dump->data[main], b, false);
        rows[row_name(row, "sizes")] = int_vector(sizes);
        Tensor own = readable.values.sliced(0, b, b + 1);
        for (const auto& [axis, lengths] : readable.sizes) {
          own = own.sliced(axis, 0, lengths[row]);
        }
        if (!dump->whole_batches) {
          rows[row_name(row, "data")] = without_batch(own);
        }
        for (const auto& [key, sink] : dump->extra) {
          const ReadableOutput& extra = extras.at(key);
          rows[row_name(row, "extra/" + key)] = without_batch(extra.values.sliced(0, b, b + 1));
          rows[row_name(row, "extra/" + key + "_seq_lens")] =
              int_vector(row_sizes(extra, dump->data[static_cast<size_t>(sink)], b, true));
        }
      }
    }
    const std::string packed = batch.size() > 0 ? write_safetensors(rows) : std::string();
    for (const std::string& bytes : communicator_.gather(fmt::format("{:08}", tags.size()) + tags + packed)) {
      write_rows(*dump, bytes);
    }
  }
}

void HdfDumpCallback::write_rows(Dump& dump, const std::string& bytes) {
  const size_t tag_bytes = std::stoul(bytes.substr(0, 8));
  if (tag_bytes == 0) {
    return;
  }
  std::vector<std::string> tags;
  for (size_t at = 8; at < 8 + tag_bytes;) {
    const size_t end = bytes.find('\n', at);
    tags.push_back(bytes.substr(at, end - at));
    at = end + 1;
  }
  const std::map<std::string, Tensor> rows =
      parse_safetensors(bytes.substr(8 + tag_bytes), "rows of layer " + dump.layer);
  if (dump.writer == nullptr) {
    open(dump);
  }
  if (dump.whole_batches) {
    HdfDumpWriter::Row row;
    const Tensor& data = rows.at(row_name(0, "data"));
    Shape flat{data.dim(0) * data.dim(1)};
    for (int axis = 2; axis < data.rank(); ++axis) {
      flat.push_back(data.dim(axis));
    }
    row.data = data.reshaped(flat);
    std::vector<int32_t> sizes;
    for (size_t i = 0; i < tags.size(); ++i) {
      row.tag += (i > 0 ? "<->" : "") + tags[i];
      const std::vector<int32_t> each = rows.at(row_name(i, "sizes")).to_vector<int32_t>();
      sizes.insert(sizes.end(), each.begin(), each.end());
    }
    const int64_t count = static_cast<int64_t>(tags.size());
    row.extra["seq_sizes"] = Tensor::of<int32_t>(sizes, {count, static_cast<int64_t>(sizes.size()) / count});
    row.extra_strings["seq_tags"] = tags;
    dump.writer->write(row);
    return;
  }
  for (size_t i = 0; i < tags.size(); ++i) {
    HdfDumpWriter::Row row;
    row.tag = tags[i];
    row.data = rows.at(row_name(i, "data"));
    if (dump.with_sizes) {
      row.sizes = rows.at(row_name(i, "sizes")).to_vector<int32_t>();
    }
    for (const auto& [key, sink] : dump.extra) {
      row.extra[key] = rows.at(row_name(i, "extra/" + key));
      row.extra[key + "_seq_lens"] = rows.at(row_name(i, "extra/" + key + "_seq_lens"));
    }
    dump.writer->write(row);
  }
}

void HdfDumpCallback::end_run() {
  for (const std::unique_ptr<Dump>& dump : dumps_) {
    if (dump->per_run && dump->writer != nullptr) {
      dump->writer->close();
      dump->writer.reset();
    }
  }
}

void HdfDumpCallback::close() {
  for (const std::unique_ptr<Dump>& dump : dumps_) {
    if (dump->writer != nullptr) {
      dump->writer->close();
      dump->writer.reset();
    }
  }
}

}  // namespace wende

#include "engine/hdf_dump_callback.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "config/config.h"
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
  File* file = nullptr;
};

struct HdfDumpCallback::File {
  std::unique_ptr<HdfDumpWriter> writer;  ///< nullptr: not open
  std::string path;
  int64_t written = 0;
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

/// (dim, ndim) of an extra key, as RETURNN declares it.
std::pair<int64_t, int64_t> extra_type(const Data& data, bool whole_batches) {
  const Dim feature = data.feature_or_sparse_dim();
  const int64_t dim = feature.defined() && feature.is_static() ? feature.size() : 1;
  const int rank = data.rank() - (data.has_batch() ? 1 : 0);
  const int flattened = rank - static_cast<int>(data.dynamic_axes().size()) + 1;
  return {dim, whole_batches ? 1 : std::min(flattened, 2)};
}

/// One sequence of an extra key: everything before the features as one axis, or all if the last axis is dynamic.
Tensor flat_extra(const Tensor& row, bool last_is_dynamic) {
  const Tensor values = row.as_contiguous();
  if (last_is_dynamic) {
    return values.reshaped(Shape{values.elements()});
  }
  if (values.rank() > 2) {
    const int64_t last = values.dim(-1);
    return values.reshaped(Shape{last == 0 ? 0 : values.elements() / last, last});
  }
  return values;
}

/// Rows of one key behind each other, flat.
Tensor joined(const std::map<std::string, Tensor>& rows, size_t count, const std::string& part) {
  const Tensor& first = rows.at(row_name(0, part));
  Shape shape{static_cast<int64_t>(count)};
  for (const int64_t size : first.shape()) {
    shape.push_back(size);
  }
  const Tensor all = Tensor::empty(first.dtype(), shape);
  for (size_t i = 0; i < count; ++i) {
    const Tensor& row = rows.at(row_name(i, part));
    Shape one{1};
    for (const int64_t size : row.shape()) {
      one.push_back(size);
    }
    all.sliced(0, static_cast<int64_t>(i), static_cast<int64_t>(i) + 1).copy_from(row.as_contiguous().reshaped(one));
  }
  return all.reshaped(Shape{all.elements()});
}

/// The values with a batch axis in front, repeated for each sequence where the layer has none.
ReadableOutput with_batch(const Data& data, ReadableOutput output, int64_t count) {
  if (data.has_batch()) {
    return output;
  }
  Shape one{1};
  Shape all{count};
  for (const int64_t size : output.values.shape()) {
    one.push_back(size);
    all.push_back(size);
  }
  output.values = output.values.as_contiguous().reshaped(one).broadcast_to(all).clone();
  return output;
}

}  // namespace

HdfDumpCallback::HdfDumpCallback(const std::vector<Sink>& sinks, Communicator& communicator,
                                 const HdfDumpCallback* other)
    : communicator_(communicator),
      files_(other != nullptr ? other->files_ : std::make_shared<std::map<std::string, File>>()) {
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
      dump->file = &(*files_)[sink.layer];
    }
    if (sink.name == sink.layer) {
      dump->main = static_cast<int>(i);
    } else {
      dump->extra.emplace_back(sink.name.substr(sink.layer.size() + 1), static_cast<int>(i));
    }
  }
}

HdfDumpCallback::~HdfDumpCallback() = default;

void HdfDumpCallback::set_labels(const std::string& layer, const std::vector<std::string>& labels) {
  std::vector<Value> names;
  for (const std::string& label : labels) {
    names.push_back(Value::of(label));
  }
  for (const std::unique_ptr<Dump>& dump : dumps_) {
    if (dump->layer == layer) {
      dump->options = dump->options.with("labels", Value::list(names));
    }
  }
}

void HdfDumpCallback::begin_run(const std::string& dataset_name, int epoch) {
  dataset_name_ = dataset_name;
  epoch_ = epoch;
}

/// The file of a layer in this pass: a function's result, with dump_per_run a format string too.
std::string HdfDumpCallback::file_name(const Dump& dump) const {
  const Value& filename = *dump.options.find("filename");
  const Value epoch = Value::of(int64_t{epoch_});
  const Value dataset = Value::of(dataset_name_);
  if (filename.is_callable()) {
    return filename.as_callable().call({}, {{"epoch", epoch}, {"dataset_name", dataset}}).as_string();
  }
  if (!dump.per_run) {
    return filename.as_string();
  }
  const std::string text = "filename.format(epoch=epoch, dataset_name=dataset_name)";
  return evaluate_expression(text, filename.span(),
                             {{"filename", filename}, {"epoch", epoch}, {"dataset_name", dataset}})
      .as_string();
}

void HdfDumpCallback::open(Dump& dump, int64_t sizes) {
  const std::string path = file_name(dump);
  HdfDumpWriter::Options options = writer_options(dump.options, dump.data[static_cast<size_t>(dump.main)], path);
  if (dump.with_sizes) {
    options.extra_types["seq_sizes"] =
        dump.whole_batches ? std::pair<int64_t, int64_t>{sizes, 2} : std::pair<int64_t, int64_t>{1, 1};
  }
  if (dump.whole_batches) {
    options.extra_types["seq_tags"] = {1, 1};
  }
  for (const auto& [key, sink] : dump.extra) {
    options.extra_types[key] = extra_type(dump.data[static_cast<size_t>(sink)], dump.whole_batches);
  }
  dump.file->path = path;
  dump.file->written = 0;
  dump.file->writer = std::make_unique<HdfDumpWriter>(std::move(options));
}

/// What one rank's batch gives, by row_name(). RETURNN writes extras and whole batches with whatever stands in padding.
std::map<std::string, Tensor> HdfDumpCallback::batch_rows(const Dump& dump, int64_t count,
                                                          const std::vector<Tensor>& values, const Binding& binding) {
  std::map<std::string, Tensor> rows;
  const size_t main = static_cast<size_t>(dump.main);
  const ReadableOutput readable = make_readable(dump.data[main], values[main], binding, Padding::kKeep);
  if (dump.whole_batches) {
    rows[row_name(0, "data")] = readable.values;
  }
  for (int64_t b = 0; b < count; ++b) {
    const size_t row = static_cast<size_t>(b);
    rows[row_name(row, "sizes")] = int_vector(row_sizes(readable, dump.data[main], b, false));
    Tensor own = readable.values.sliced(0, b, b + 1);
    for (const auto& [axis, lengths] : readable.sizes) {
      own = own.sliced(axis, 0, lengths[row]);
    }
    if (!dump.whole_batches) {
      rows[row_name(row, "data")] = without_batch(own);
    }
  }
  for (const auto& [key, sink] : dump.extra) {
    const Data& data = dump.data[static_cast<size_t>(sink)];
    const ReadableOutput extra =
        with_batch(data, make_readable(data, values[static_cast<size_t>(sink)], binding, Padding::kKeep), count);
    const int last = extra.values.rank() - 1;
    const bool last_is_dynamic =
        std::any_of(extra.sizes.begin(), extra.sizes.end(), [last](const auto& size) { return size.first == last; });
    for (int64_t b = 0; b < count; ++b) {
      const size_t row = static_cast<size_t>(b);
      rows[row_name(row, "extra/" + key)] =
          flat_extra(without_batch(extra.values.sliced(0, b, b + 1)), last_is_dynamic);
      rows[row_name(row, "extra/" + key + "_seq_lens")] = int_vector(row_sizes(extra, data, b, true));
    }
  }
  return rows;
}

void HdfDumpCallback::add_batch(const Batch& batch, const std::vector<Tensor>& values, const Binding& binding) {
  for (const std::unique_ptr<Dump>& dump : dumps_) {
    std::string tags;
    std::string packed;
    if (batch.size() > 0) {
      for (const std::string& tag : batch.tags) {
        tags += tag + "\n";
      }
      packed = write_safetensors(batch_rows(*dump, batch.size(), values, binding));
    }
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
  if (dump.file->writer == nullptr) {
    open(dump, rows.at(row_name(0, "sizes")).elements());
  }
  if (dump.whole_batches) {
    write_whole_batch(dump, tags, rows);
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
      const Tensor& lengths = rows.at(row_name(i, "extra/" + key + "_seq_lens"));
      if (lengths.elements() > 0) {
        row.extra[key + "_seq_lens"] = lengths;
      }
    }
    dump.file->writer->write(row);
    ++dump.file->written;
  }
}

/// All sequences as one: the batch axis comes before the others, and all but the features are one axis.
void HdfDumpCallback::write_whole_batch(Dump& dump, const std::vector<std::string>& tags,
                                        const std::map<std::string, Tensor>& rows) {
  const int64_t count = static_cast<int64_t>(tags.size());
  // [B,n] of the rows of a key; without any number per sequence a zero, so that the batch size can be read.
  const auto stacked = [&](const std::string& part) {
    std::vector<int32_t> numbers;
    for (size_t i = 0; i < tags.size(); ++i) {
      const std::vector<int32_t> each = rows.at(row_name(i, part)).to_vector<int32_t>();
      numbers.insert(numbers.end(), each.begin(), each.end());
    }
    numbers.resize(std::max(numbers.size(), tags.size()));
    return Tensor::of<int32_t>(numbers, {count, static_cast<int64_t>(numbers.size()) / count});
  };
  HdfDumpWriter::Row row;
  row.data = rows.at(row_name(0, "data"));
  for (size_t i = 0; i < tags.size(); ++i) {
    row.tag += (i > 0 ? "<->" : "") + tags[i];
  }
  row.extra["seq_sizes"] = stacked("sizes");
  row.extra_strings["seq_tags"] = tags;
  for (const auto& [key, sink] : dump.extra) {
    row.extra[key + "_seq_lens"] = stacked("extra/" + key + "_seq_lens");
    row.extra[key] = joined(rows, tags.size(), "extra/" + key);
  }
  dump.file->writer->write(row);
  ++dump.file->written;
}

void HdfDumpCallback::finish(Dump& dump) {
  if (dump.file->writer == nullptr) {
    return;
  }
  dump.file->writer->close();
  dump.file->writer.reset();
  log_line(3, fmt::format("HDFDumpLayer, wrote {} seqs to file '{}'.", dump.file->written, dump.file->path));
}

void HdfDumpCallback::end_run() {
  for (const std::unique_ptr<Dump>& dump : dumps_) {
    if (dump->per_run) {
      finish(*dump);
    }
  }
}

void HdfDumpCallback::close() {
  for (const std::unique_ptr<Dump>& dump : dumps_) {
    finish(*dump);
  }
}

}  // namespace wende

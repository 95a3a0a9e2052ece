#include "io/hdf_dump_writer.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"

namespace wende {

namespace {

const std::string kInputs = "inputs";
constexpr int64_t kChunkRows = 1024;

std::string target(const char* part, const std::string& key) { return fmt::format("targets/{}/{}", part, key); }

std::vector<int64_t> sizes_of(const Tensor& tensor) { return {tensor.shape().begin(), tensor.shape().end()}; }

bool is_ascii(const std::vector<std::string>& texts) {
  return std::all_of(texts.begin(), texts.end(), [](const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
  });
}

/// Fixed width where it can be, as numpy's S<n>; that has no place for other than ASCII.
void write_labels(hdf5::File& file, const std::string& name, const std::vector<std::string>& labels) {
  if (!is_ascii(labels)) return file.write_strings(name, labels);
  size_t width = 0;
  for (const std::string& label : labels) width = std::max(width, label.size());
  constexpr size_t kWidthOfNone = 5;
  file.write_fixed_strings(name, labels, labels.empty() ? kWidthOfNone : width);
}

}  // namespace

class HdfDumpWriter::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), temporary_(temporary_name(options_.path)) {
    const bool exists = std::filesystem::exists(options_.path);
    if (exists != options_.extend_existing_file) {
      const char* what = exists ? "exists already; it is not overwritten" : "does not exist, so it cannot be extended";
      throw Error(ExitStatus::kCannotCreate, fmt::format("HDF dump file '{}' {}", options_.path, what));
    }
    make_folders(folder_of(options_.path));
    if (exists) {
      open_copy();
    } else {
      start();
    }
  }

  ~Impl() {
    if (!file_) return;
    file_.reset();
    ::unlink(temporary_.c_str());
  }

  void write(const Row& row) {
    const Tensor data = flattened(row.data);
    if (!has_inputs_) {
      const std::vector<int64_t> shape = sizes_of(data);
      std::vector<int64_t> empty = shape;
      empty[0] = 0;
      file_->create_resizable(kInputs, data.dtype(), empty, std::vector<int64_t>(shape.size(), -1),
                              hdf5::h5py_chunk(shape, size_of(data.dtype())));
      has_inputs_ = true;
    }
    file_->append(kInputs, data);
    steps_ += data.dim(0);
    lengths_.push_back(static_cast<int32_t>(data.dim(0)));
    tags_.push_back(row.tag);
    for (const auto& [key, values] : all_extra(row)) write_extra(key, values);
    for (const auto& [key, values] : row.extra_strings) write_extra_strings(key, values);
  }

  void close() {
    if (!file_) return;
    write_lengths();
    file_->append_strings("seqTags", tags_);
    file_->set_attribute("/", "numTimesteps", steps_);
    file_->set_attribute("/", "numSeqs", seqs_before_ + static_cast<int64_t>(lengths_.size()));
    file_->close();
    file_.reset();
    if (!options_.extend_existing_file && std::filesystem::exists(options_.path)) {
      throw Error(ExitStatus::kCannotCreate,
                  fmt::format("'{}' was made by someone else in the meantime", options_.path))
          .hint(fmt::format("the new data are in '{}'", temporary_));
    }
    sync_to_disk(temporary_);
    rename_path(temporary_, options_.path);
  }

 private:
  void start() {
    file_.emplace(hdf5::File::create(temporary_));
    const int64_t size = std::max<int64_t>(options_.dim, 1);
    file_->set_attribute("/", "inputPattSize", size);
    file_->set_attribute("/", "numDims", 1);
    file_->set_attribute("/", "numLabels", size);
    write_labels(*file_, "labels", options_.labels);
    file_->create_appendable_strings("seqTags", kChunkRows);
  }

  void open_copy() {
    std::error_code code;
    std::filesystem::copy_file(options_.path, temporary_, std::filesystem::copy_options::overwrite_existing, code);
    if (code) {
      throw Error(ExitStatus::kCannotCreate,
                  fmt::format("cannot copy '{}' to '{}': {}", options_.path, temporary_, code.message()));
    }
    file_.emplace(hdf5::File::open_writable(temporary_));
    has_inputs_ = file_->exists(kInputs);
    steps_ = file_->int_attribute("/", "numTimesteps");
    seqs_before_ = file_->int_attribute("/", "numSeqs");
    if (!file_->exists("targets/data")) return;
    for (const std::string& key : file_->children("targets/data")) extra_lengths_[key] = {};
  }

  /// [T1,...,F] -> [T,F] or, without features, [T].
  Tensor flattened(const Tensor& data) const {
    const Tensor values = data.as_contiguous();
    const bool with_feature = options_.dim > 0 && !options_.sparse;
    if (!with_feature) return values.reshaped(Shape{values.elements()});
    if (values.rank() == 0 || values.dim(-1) != options_.dim) {
      throw internal_error(fmt::format("'{}': sequence of shape {} instead of [..,{}]", options_.path,
                                       data.shape().str(), options_.dim));
    }
    return values.reshaped(Shape{values.elements() / options_.dim, options_.dim});
  }

  static std::map<std::string, Tensor> all_extra(const Row& row) {
    std::map<std::string, Tensor> extra = row.extra;
    if (!row.sizes.empty()) {
      const Tensor sizes = Tensor::of<int32_t>(row.sizes, Shape{static_cast<int64_t>(row.sizes.size())});
      extra.emplace("seq_sizes", sizes);
      // Readers restore flattened axes from this key.
      if (row.sizes.size() > 1) extra.emplace("sizes", sizes);
    }
    return extra;
  }

  bool known(const std::string& key) const { return extra_lengths_.count(key) > 0; }

  void add_key(const std::string& key, int64_t last_axis, int64_t rank) {
    if (seqs_before_ > 0) {
      throw Error(ExitStatus::kCannotCreate,
                  fmt::format("'{}' cannot be extended by the new data key '{}'", options_.path, key));
    }
    const auto given = options_.extra_types.find(key);
    const auto [dim, ndim] =
        given != options_.extra_types.end() ? given->second : std::pair{rank > 1 ? last_axis : 1, rank};
    file_->make_group("targets/size");
    file_->set_attribute("targets/size", key,
                         std::vector<int64_t>{std::max<int64_t>(dim, 1), std::max<int64_t>(ndim, 1)});
    write_labels(*file_, target("labels", key), {"dummy-label"});
    extra_lengths_[key] = {};
  }

  void write_extra(const std::string& key, const Tensor& given) {
    const Tensor values = given.rank() == 0 ? given.as_contiguous().reshaped(Shape{1}) : given;
    if (!known(key)) {
      add_key(key, values.dim(-1), values.rank());
      std::vector<int64_t> empty = sizes_of(values);
      const std::vector<int64_t> inner(empty.begin() + 1, empty.end());
      empty[0] = 0;
      file_->create_appendable(target("data", key), values.dtype(), inner,
                               hdf5::h5py_chunk(empty, size_of(values.dtype())));
    }
    file_->append(target("data", key), values);
    set_length(key, values.dim(0));
  }

  void write_extra_strings(const std::string& key, const std::vector<std::string>& values) {
    if (!known(key)) {
      add_key(key, 1, 1);
      file_->create_appendable_strings(target("data", key), kChunkRows);
    }
    file_->append_strings(target("data", key), values);
    set_length(key, static_cast<int64_t>(values.size()));
  }

  /// Rows without the key have length 0.
  void set_length(const std::string& key, int64_t length) {
    std::vector<int32_t>& column = extra_lengths_[key];
    column.resize(lengths_.size(), 0);
    column.back() = static_cast<int32_t>(length);
  }

  /// [N, max(2, 1 + keys)]: column 0 the main data, then the keys in sorted order. HDFDataset wants two columns at
  /// least.
  void write_lengths() {
    const auto rows = static_cast<int64_t>(lengths_.size());
    const int64_t columns = std::max<int64_t>(2, 1 + static_cast<int64_t>(extra_lengths_.size()));
    const Tensor table = Tensor::zeros(DType::kInt32, Shape{rows, columns});
    auto* cell = table.data<int32_t>();
    for (int64_t row = 0; row < rows; ++row) {
      cell[row * columns] = lengths_[static_cast<size_t>(row)];
      int64_t column = 1;
      for (auto& [key, lengths] : extra_lengths_) {
        lengths.resize(lengths_.size(), 0);
        cell[row * columns + column++] = lengths[static_cast<size_t>(row)];
      }
    }
    if (!file_->exists("seqLengths")) {
      file_->create_resizable("seqLengths", DType::kInt32, {0, columns}, {-1, -1}, {kChunkRows, 2});
    }
    file_->append("seqLengths", table);
  }

  Options options_;
  std::string temporary_;
  std::optional<hdf5::File> file_;
  bool has_inputs_ = false;
  int64_t steps_ = 0;
  int64_t seqs_before_ = 0;
  std::vector<int32_t> lengths_;
  std::vector<std::string> tags_;
  std::map<std::string, std::vector<int32_t>> extra_lengths_;
};

HdfDumpWriter::HdfDumpWriter(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
HdfDumpWriter::~HdfDumpWriter() = default;
void HdfDumpWriter::write(const Row& row) { impl_->write(row); }
void HdfDumpWriter::close() { impl_->close(); }

}  // namespace wende

#include <gtest/gtest.h>

#include <cstdlib>

#include "io/atomic_file.h"
#include "io/checkpoint.h"
#include "io/hdf_dump_writer.h"
#include "io/tfevents.h"

namespace wende {
namespace {

Tensor frames(int64_t length, float from, int64_t dim = 3) {
  const Tensor tensor = Tensor::empty(DType::kFloat32, Shape{length, dim});
  for (int64_t i = 0; i < tensor.elements(); ++i) tensor.data<float>()[i] = from + static_cast<float>(i);
  return tensor;
}

Tensor numbers(std::vector<int32_t> values) {
  const auto size = static_cast<int64_t>(values.size());
  return Tensor::of<int32_t>(values, Shape{size});
}

void write_dumps(const std::string& folder) {
  HdfDumpWriter dense({.path = folder + "/dense.hdf", .dim = 3});
  HdfDumpWriter sparse(
      {.path = folder + "/sparse.hdf", .dim = 5, .sparse = true, .rank = 1, .labels = {"a", "b", "c", "d", "e"}});
  HdfDumpWriter extra(
      {.path = folder + "/extra.hdf", .dim = 5, .extra_types = {{"amax", {3, 1}}, {"cls", {5, 1}}, {"enc", {3, 2}}}});
  int32_t index = 0;
  for (const int32_t length : {6, 5, 2}) {
    const std::string tag = "seq-" + std::to_string(index++);
    dense.write({tag, frames(length, 0), {length}, {}, {}});
    sparse.write({tag, numbers(std::vector<int32_t>(static_cast<size_t>(length), index)), {length}, {}, {}});
    HdfDumpWriter::Row row{tag, frames(length, 0, 5), {length}, {}, {}};
    row.extra = {{"amax", numbers({2, 0, 1, 1, 1, 2})},
                 {"amax_seq_lens", numbers({length})},
                 {"cls", numbers({3, 0, 1, 4, 4, 4})},
                 {"cls_seq_lens", numbers({length})},
                 {"enc", frames(6, 0)},
                 {"enc_seq_lens", numbers({length, 3})}};
    extra.write(row);
  }
  dense.close();
  sparse.close();
  extra.close();
  HdfDumpWriter whole({.path = folder + "/whole.hdf", .dim = 3});
  HdfDumpWriter::Row row{"seq-0<->seq-1<->seq-2", frames(18, 0), {}, {}, {}};
  row.extra["seq_sizes"] = Tensor::of<int32_t>({6, 5, 2}, Shape{3, 1});
  row.extra_strings["seq_tags"] = {"seq-0", "seq-1", "seq-2"};
  whole.write(row);
  whole.close();
}

/// Files for tests/io/foreign_readers.py, which reads them with h5py, safetensors and TensorBoard.
TEST(Samples, ForOtherReaders) {
  const char* folder = std::getenv("WENDE_IO_SAMPLES");
  if (folder == nullptr) GTEST_SKIP() << "WENDE_IO_SAMPLES is not set";
  write_dumps(folder);
  const std::map<std::string, Tensor> tensors{{"a/W", frames(2, 1)},
                                              {"b", numbers({1, 2, 3})},
                                              {"flag", Tensor::zeros(DType::kBool, Shape{3})},
                                              {"scalar", Tensor::scalar(2.5f)},
                                              {"wide", Tensor::of<double>({0.1}, Shape{1})}};
  write_file_atomically(std::string(folder) + "/sample.safetensors", write_safetensors(tensors));
  TfEventsWriter events(std::string(folder) + "/events", 1);
  for (int64_t step = 1; step <= 100; ++step) events.scalar("loss", 1.0 / static_cast<double>(step), step);
  events.histogram("weights", frames(10, -15), 1);
  events.image("picture", frames(4, 0).reshaped(Shape{2, 6, 1}), 1);
  events.flush();
}

}  // namespace
}  // namespace wende

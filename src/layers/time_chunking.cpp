#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// x [n0,n1,...] as [n0*n1,...].
Expr as_rows(Expr x) {
  std::vector<Dim> dims{Dim::derived(Dim::Op::kMul, {x.dim(0), x.dim(1)})};
  dims.insert(dims.end(), x.dims().begin() + 2, x.dims().end());
  return ops::reshape(x, std::move(dims));
}

/// 0,1,2,... along `dim` as axis `axis` of `rank`.
Expr counted(Graph& graph, const Dim& dim, int axis, int rank) {
  return along_axis(ops::range(graph, dim), axis, rank);
}

/// `values` where `valid` [frames...] holds, else 0; frames are the first axes of values.
Expr zero_elsewhere(Expr valid, Expr values) {
  for (int i = valid.rank(); i < values.rank(); ++i) {
    valid = ops::expand_dims(valid, i);
  }
  return ops::where(valid, values, ops::constant(*values.graph, 0.0, values.dtype()));
}

/// How a sequence axis is cut; the dims of the chunked output hold it, so that time_unchunking finds it again.
struct Chunking {
  Dim time, batch, chunks, all;  ///< all: batch * chunks, chunk by chunk of each sequence
  Dim frames;                    ///< of a chunk: `size` in memory
  int64_t size = 0;
  int64_t step = 0;

  static Chunking of(const Dim& time, const Dim& batch, int64_t size, int64_t step, const std::string& name) {
    Chunking c{time, batch, {}, {}, {}, size, step};
    c.chunks = ceil_div(time - size, step) + 1;
    c.all = Dim::derived(Dim::Op::kMul, {batch, c.chunks}, Dim::Kind::kBatch, name + ":chunked_batch");
    const auto fixed = [](int64_t n) { return Dim::fixed(n, Dim::Kind::kSpatial); };
    const Dim nothing =
        Dim::derived(Dim::Op::kMul, {time, fixed(0), fixed(step)}, Dim::Kind::kSpatial, name + ":chunking");
    c.frames = Dim::derived(Dim::Op::kMax, {nothing, fixed(size)}, Dim::Kind::kSpatial, name + ":chunking");
    return c;
  }

  static Chunking from(const Data& chunked, const Value& place) {
    const Dim frames = chunked.time_dim();
    const int batch = chunked.batch_axis();
    const Dim nothing = frames.defined() && frames.op() == Dim::Op::kMax && batch >= 0 ? frames.operands()[0] : Dim();
    if (!nothing.defined() || nothing.op() != Dim::Op::kMul || nothing.operands().size() != 3) {
      throw place.error("chunking_layer must be a time_chunking layer, got " + chunked.str());
    }
    const Dim& all = chunked.dims[static_cast<size_t>(batch)];
    return {nothing.operands()[0],       all.operands()[0],           all.operands()[1], all, frames,
            frames.operands()[1].size(), nothing.operands()[2].size()};
  }
};

struct TimeChunkingArgs {
  int64_t chunk_size = 0;
  int64_t chunk_step = 0;
  Value axis;

  template <class V>
  void fields(V& v) {
    v.field("chunk_size", chunk_size, "frames of a chunk");
    v.field("chunk_step", chunk_step, "frames from the start of a chunk to that of the next");
    v.field("axis", axis, "the axis that is cut (time)");
  }
};

/// [T,B,...] -> [chunk_size, B*chunks, ...].
class TimeChunkingLayer : public Layer {
 public:
  explicit TimeChunkingLayer(TimeChunkingArgs args) : args_(std::move(args)) {
    if (args_.chunk_size < 1 || args_.chunk_step < 1) {
      throw Error(ExitStatus::kConfig, fmt::format("chunk_size and chunk_step must be > 0, got {} and {}",
                                                   args_.chunk_size, args_.chunk_step));
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    if (!x.has_batch() || x.dims[static_cast<size_t>(axis_)].is_static() || context.loop_time.defined()) {
      throw context.options.error(
          "time_chunking needs a batch axis and an axis with sequence lengths, and no loop; got " + x.str());
    }
    chunking_ = Chunking::of(x.dims[static_cast<size_t>(axis_)], x.dims[static_cast<size_t>(x.batch_axis())],
                             args_.chunk_size, args_.chunk_step, context.absolute_name);
    Data out = x.permuted(order_with_first(x.rank(), {axis_, x.batch_axis()}));
    out.dims[0] = chunking_.frames;
    out.dims[1] = chunking_.all;
    out.time_axis = 0;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    Graph& graph = builder.graph();
    const LayerOutput input = builder.input();
    const Chunking& c = chunking_;
    const Expr x =
        permuted(input, order_with_first(input.data.rank(), {input.data.batch_axis(), axis_})).expr;  // [B,T,...]
    const Expr last = ops::reduce(ops::Reduction::kMax, ops::range(graph, c.time), {0});
    const Expr start = ops::mul(counted(graph, c.chunks, 1, 3), ops::int_constant(graph, c.step));
    const Expr frame = ops::add(start, counted(graph, c.frames, 2, 3));  // [1,chunks,size]
    const Expr lengths = ops::expand_dims(ops::expand_dims(builder.lengths(c.time), 1), 2);
    const Expr valid = ops::binary(ops::Binary::kLess, frame, lengths);  // [B,chunks,size]
    const Expr row = ops::mul(counted(graph, c.batch, 0, 3), ops::add(last, ops::int_constant(graph, 1)));
    Expr place = ops::add(row, ops::binary(ops::Binary::kMinimum, frame, last));
    Expr y = zero_elsewhere(valid, ops::gather(as_rows(x), place));  // [B,chunks,size,...]
    std::vector<Dim> dims{c.all, c.frames};
    dims.insert(dims.end(), out.dims.begin() + 2, out.dims.end());
    y = ops::reshape(y, dims);
    add_lengths(builder, ops::squeeze(start, 2));
    return ops::permute(y, order_with_first(y.rank(), {1, 0}));
  }

 private:
  /// What is left of each sequence from the start of a chunk: [B*chunks].
  void add_lengths(LayerBuilder& builder, Expr start) {
    Graph& graph = builder.graph();
    Expr left = ops::sub(ops::expand_dims(builder.lengths(chunking_.time), 1), start);
    left = ops::binary(ops::Binary::kMaximum, left, ops::int_constant(graph, 0));
    left = ops::binary(ops::Binary::kMinimum, left, ops::int_constant(graph, chunking_.size));
    Data data;
    data.dims = {chunking_.all};
    data.dtype = DType::kInt32;
    builder.add_sub_output("lengths", {data, ops::reshape(left, data.dims)});
  }

  TimeChunkingArgs args_;
  Chunking chunking_;
  int axis_ = 0;
};

struct TimeUnchunkingArgs {
  std::string chunking_layer;

  template <class V>
  void fields(V& v) {
    v.field("chunking_layer", chunking_layer, "the time_chunking layer");
  }
};

/// [chunk_size, B*chunks, ...] -> [T,B,...]: the mean where chunks overlap.
class TimeUnchunkingLayer : public Layer {
 public:
  explicit TimeUnchunkingLayer(TimeUnchunkingArgs args) : args_(std::move(args)) {
    if (args_.chunking_layer.empty()) {
      throw Error(ExitStatus::kConfig, "time_unchunking needs 'chunking_layer'");
    }
  }

  std::vector<std::string> refs() const override { return {args_.chunking_layer}; }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    chunking_ = Chunking::from(context.refs.at(args_.chunking_layer), *context.options.find("chunking_layer"));
    axis_ = x.axis_of(chunking_.frames);
    if (axis_ < 0 || x.axis_of(chunking_.all) < 0) {
      throw context.options.error("time_unchunking: the input " + x.str() + " has not the axes of the chunking_layer");
    }
    Data out = x.permuted(order_with_first(x.rank(), {axis_, x.batch_axis()}));
    out.dims[0] = chunking_.time;
    out.dims[1] = chunking_.batch;
    out.time_axis = 0;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    Graph& graph = builder.graph();
    const LayerOutput input = builder.input();
    const Chunking& c = chunking_;
    const Expr rows =
        as_rows(permuted(input, order_with_first(input.data.rank(), {input.data.batch_axis(), axis_})).expr);
    const Expr frame = counted(graph, c.time, 0, 2);  // [T,1]
    const Expr newest = ops::binary(ops::Binary::kFloorDiv, frame, ops::int_constant(graph, c.step));
    const Expr last_chunk = ops::reduce(ops::Reduction::kMax, ops::range(graph, c.chunks), {0});
    const Expr row = ops::mul(counted(graph, c.batch, 1, 2), ops::add(last_chunk, ops::int_constant(graph, 1)));
    Expr sum;
    Expr count;
    for (int64_t k = 0; k * c.step < c.size; ++k) {
      const Expr chunk = ops::sub(newest, ops::int_constant(graph, k));
      const Expr within = ops::sub(frame, ops::mul(chunk, ops::int_constant(graph, c.step)));
      Expr valid = ops::binary(ops::Binary::kLogicalAnd, ops::binary(ops::Binary::kLessEqual, chunk, last_chunk),
                               ops::binary(ops::Binary::kGreaterEqual, chunk, ops::int_constant(graph, 0)));
      valid = ops::binary(ops::Binary::kLogicalAnd, valid,
                          ops::binary(ops::Binary::kLess, within, ops::int_constant(graph, c.size)));
      const Expr place = ops::mul(ops::add(row, ops::where(valid, chunk, ops::int_constant(graph, 0))),
                                  ops::int_constant(graph, c.size));
      const Expr part = ops::add(place, ops::where(valid, within, ops::int_constant(graph, 0)));  // [T,B]
      const Expr values = zero_elsewhere(valid, ops::gather(rows, part));
      const Expr one = ops::cast(valid, DType::kFloat32);
      sum = sum.defined() ? ops::add(sum, values) : values;
      count = count.defined() ? ops::add(count, one) : one;
    }
    count = ops::binary(ops::Binary::kMaximum, count, ops::constant(graph, 1.0));  // steps beyond the size leave gaps
    for (int i = count.rank(); i < sum.rank(); ++i) {
      count = ops::expand_dims(count, i);
    }
    return ops::div(sum, count);
  }

 private:
  TimeUnchunkingArgs args_;
  Chunking chunking_;
  int axis_ = 0;
};

const RegisterLayer<TimeChunkingLayer, TimeChunkingArgs> kRegister{
    "time_chunking",
    {},
    "Cuts sequences into chunks, which become sequences of their own: [chunk_size, B*chunks, ...].",
    {R"({"class": "time_chunking", "chunk_size": 3, "chunk_step": 2, "from": "data"})"}};
const RegisterLayer<TimeUnchunkingLayer, TimeUnchunkingArgs> kRegisterUnchunking{
    "time_unchunking",
    {},
    "Joins what time_chunking cut, with the mean of chunks where they overlap.",
    {R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("c": {"class": "time_chunking", "chunk_size": 3, "chunk_step": 2, "from": "data"}, )"
     R"("output": {"class": "time_unchunking", "chunking_layer": "c", "from": "c"}}})"}};

}  // namespace
}  // namespace wende

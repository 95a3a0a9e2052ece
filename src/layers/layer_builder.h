#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/value.h"
#include "dims/data.h"
#include "graph/graph.h"
#include "graph/param_table.h"
#include "layers/layer.h"

namespace wende {

/// An output of a layer: template and graph.
struct LayerOutput {
  Data data;
  Expr expr;  ///< dims equal data.dims
};

/// Rows that leave the graph for rank 0: gathered in sequence order, delivered to whoever registered the sink.
struct Sink {
  std::string name;  ///< layer's absolute name, plus "/key" for extras
  Data data;         ///< template of the rows
  Expr expr;
  std::string layer;  ///< absolute name of the layer
  Value options;      ///< of the layer, e.g. hdf_dump's filename
};

/// A number that is summed over batches and ranks: reported value = sum / weight.
struct Stat {
  std::string name;
  Expr sum;     ///< scalar or vector, float
  Expr weight;  ///< scalar float, e.g. the frame count; undefined: plain sum
};

/// What a beam search found. Layers behind its loop have the batch axis [B*size], hypotheses of a sequence together.
struct Beam {
  int64_t size = 1;
  Expr scores;  ///< float32 [B*size]: log scores, after normalisation by length
};

/// In the loop of a search: the hypotheses that a layer's inputs are of, as the latest choice among these left them.
struct Hypotheses {
  Expr scores;       ///< float32 [B*beam]; undefined: there is no search
  Expr rows;         ///< int32 [B*beam]: which one of before that choice each comes from; undefined: in the step before
  int64_t from = 1;  ///< how many there were per sequence before that choice
};

/// The only door through which a layer builds: inputs, parameters, graph, losses, stats, sinks, random.
/// Implemented by network/ (and by a small fake in layer tests).
class LayerBuilder {
 public:
  virtual ~LayerBuilder() = default;

  virtual Graph& graph() = 0;
  virtual const LayerContext& context() const = 0;
  virtual const Data& out_data() const = 0;  ///< what the layer's out_data returned (after general options)

  virtual int source_count() const = 0;
  virtual LayerOutput source(int index) const = 0;
  /// RETURNN's _ConcatInputLayer: the sources concatenated on the feature axis in the common layout, dropout applied
  /// (cached: equal sources, rate and noise shape share one mask). Layers that take "one input" start here.
  virtual LayerOutput input() = 0;
  virtual LayerOutput ref(const std::string& name) const = 0;  ///< a layer that Layer::refs() named
  virtual LayerOutput target(int index = 0) const = 0;

  /// A variable "<scope>/<local>"; shared, noised, dropped or frozen as the general options say.
  /// init: the option's value (None = fallback, RETURNN's initialiser name).
  virtual Expr param(const std::string& local, Shape shape, const Value& init, const std::string& fallback,
                     bool trainable = true) = 0;
  /// The step leaves `value` (its elements in C order) in the variable "<scope>/<local>", which param() made
  /// untrainable; within the step the old value is read. Where several ranks assign, all get the mean.
  virtual void assign(const std::string& local, Expr value) = 0;
  /// The variable "<scope>/<local>" starts with this value, which must depend on no data and no parameter.
  virtual void initialize_with(const std::string& local, Expr value) = 0;

  /// A value that goes on from batch to batch: what keep() was given for this key in the last batch of the epoch, zeros
  /// in the first.
  virtual Expr kept(const std::string& key, const Data& data);
  virtual void keep(const std::string& key, Expr next);

  /// int32 [B] lengths of a dynamic dim; and the mask over (batch, dim) in the axis order given.
  virtual Expr lengths(const Dim& dim) = 0;
  virtual Dim batch_dim() const = 0;
  virtual Expr mask(const Dim& time, bool time_major) = 0;

  /// A further output under "<layer>/<key>" (sub-layers such as "/c", "/indices") or for internal readers: "logits"
  /// (pre-activation of softmax), "last_c", "last_h".
  virtual void add_sub_output(const std::string& key, LayerOutput output) = 0;
  /// Is the layer built for one step of a loop?
  virtual bool in_loop() const { return false; }
  /// In a loop: the sub-output `key` ("" = the output) of this layer in the step before, and what it is before the
  /// first step: a value that does not change in the loop; undefined or not set = zeros.
  virtual LayerOutput previous(const std::string& key, const Data& data);
  virtual void set_initial(const std::string& key, Expr value);
  /// In a loop that ends by itself: which sequences have ended before this step, bool [B]; else undefined.
  virtual Expr ended() { return {}; }
  virtual Hypotheses hypotheses() { return {}; }
  /// The search whose hypotheses source i holds; nullptr: none.
  virtual const Beam* source_beam(int) const { return nullptr; }
  virtual Expr loop_step();  ///< in a loop: the step's index, int32 scalar
  /// A sub-output of source i; undefined expr if it has none of that key.
  virtual LayerOutput source_sub_output(int index, const std::string& key) const = 0;

  virtual void add_stat(Stat stat) = 0;
  virtual void add_sink(Sink sink) = 0;
  /// A key for random ops that depends on the layer's name and `local` only.
  virtual uint32_t random_key(const std::string& local) const = 0;
};

}  // namespace wende

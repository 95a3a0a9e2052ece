#include <fmt/core.h>

#include <algorithm>

#include "base/lower_case.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct SearchSortedArgs {
  Value sorted_sequence, values, axis;
  std::string side = "left";

  template <class V>
  void fields(V& v) {
    v.field("sorted_sequence", sorted_sequence, "layer whose numbers rise along the axis");
    v.field("values", values, "layer of the numbers to insert: axes of sorted_sequence and one more");
    v.field("axis", axis, "the sorted axis (time)");
    v.field("side", side, "\"left\" or \"right\" of numbers that are equal");
  }
};

/// Where values are to be inserted into a sorted sequence: how many of its numbers are smaller (right: or equal).
class SearchSortedLayer : public Layer {
 public:
  explicit SearchSortedLayer(SearchSortedArgs args) : args_(std::move(args)) {
    for (const Value* name : {&args_.sorted_sequence, &args_.values}) {
      if (!name->is_string()) {
        throw name->error("search_sorted needs 'sorted_sequence' and 'values': names of layers, got " + name->repr());
      }
    }
    args_.side = lower_case(args_.side);
    if (args_.side != "left" && args_.side != "right") {
      throw Error(ExitStatus::kConfig, "search_sorted: side is \"left\" or \"right\", got \"" + args_.side + "\"");
    }
  }

  std::vector<std::string> refs() const override {
    return {args_.sorted_sequence.as_string(), args_.values.as_string()};
  }

  Data out_data(const LayerContext& context) override {
    const Data& sorted = context.refs.at(args_.sorted_sequence.as_string());
    const Data& values = context.refs.at(args_.values.as_string());
    axis_ = axis_of_option(sorted, args_.axis.is_none() ? Value::of("T") : args_.axis, context.behavior_version);
    if (sorted.dtype != values.dtype) {
      throw args_.values.error(
          fmt::format("sorted_sequence {} and values {} have different types", sorted.str(), values.str()));
    }
    order_.clear();
    for (int i = 0; i < sorted.rank(); ++i) {
      if (i != axis_) {
        order_.push_back(values.axis_of(sorted.dims[static_cast<size_t>(i)]));
      }
    }
    int own = -1;
    int count = 0;
    for (int i = 0; i < values.rank(); ++i) {
      if (std::find(order_.begin(), order_.end(), i) == order_.end()) {
        own = i;
        ++count;
      }
    }
    if (count != 1 || std::find(order_.begin(), order_.end(), -1) != order_.end()) {
      throw args_.values.error(fmt::format("search_sorted needs values with the axes of {} and one more, got {}",
                                           sorted.str(), values.str()));
    }
    order_.push_back(own);
    Data out = values.permuted(order_).with_name(context.name);
    out.dtype = DType::kInt32;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput sorted = builder.ref(args_.sorted_sequence.as_string());
    const LayerOutput values = builder.ref(args_.values.as_string());
    // [..., values, sorted]
    const std::vector<int> sorted_last = order_with_last(sorted.data.rank(), axis_);
    const int place = sorted.data.rank() - 1;
    const auto with_values_axis = [&](Expr x) { return ops::expand_dims(permute_if_needed(x, sorted_last), place); };
    const Expr numbers = with_values_axis(sorted.expr);
    const Expr wanted = ops::expand_dims(permute_if_needed(values.expr, order_), place + 1);
    Expr before = ops::binary(args_.side == "left" ? ops::Binary::kLess : ops::Binary::kLessEqual, numbers, wanted);
    if (const Expr mask = axis_mask(builder, sorted.data, axis_); mask.defined()) {
      before = ops::binary(ops::Binary::kLogicalAnd, before, with_values_axis(mask));
    }
    return ops::reduce(ops::Reduction::kSum, ops::cast(before, DType::kInt32), {place + 1});
  }

 private:
  SearchSortedArgs args_;
  int axis_ = 0;
  std::vector<int> order_;  ///< of the axes of values: those of sorted_sequence, then its own
};

const RegisterLayer<SearchSortedLayer, SearchSortedArgs> kRegister{
    "search_sorted",
    {},
    "Where numbers are to be inserted into a sorted sequence.",
    {R"({"class": "search_sorted", "sorted_sequence": "data:data", "axis": "F", "values": "lstm"})"}};

}  // namespace
}  // namespace wende

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/value.h"

namespace wende {

/// What the entry of one data key in extern_data / num_outputs says, before dims are made.
struct ExternKey {
  Value place;
  std::vector<int64_t> shape;   ///< without batch; -1 = dynamic
  std::vector<Value> dim_tags;  ///< dim_tags / dims, batch included: Dim tags or sizes; then shape is empty
  std::optional<int64_t> dim;
  Value sparse_dim;  ///< a dim tag, or None
  bool sparse = false;
  std::optional<std::string> dtype;
  std::optional<int> batch_axis = 0;           ///< nullopt: no batch axis
  std::optional<int> time_axis, feature_axis;  ///< counted with batch; -1 = none
  Value time_dim, feature_dim;                 ///< dim tags that mark an axis, or None
  std::optional<bool> available_for_inference;
  Value shared_tags;  ///< same_dim_tags_as

  /// From a dict of Data arguments or a pair (dim, ndim).
  static ExternKey from_value(const Value& value);
  static ExternKey plain(const Value& place, int64_t dim, bool sparse);
};

/// A size that must be positive.
int64_t positive_size(const Value& value);

}  // namespace wende

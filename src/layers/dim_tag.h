#pragma once

#include <string>

#include "config/value.h"
#include "dims/data.h"

namespace wende {

/// Dim tags of a config (`SpatialDim("time")`, `FeatureDim("f", 10)`, `time.ceildiv_right(2)`, `batch_dim`): Values of
/// kind kDim. A Dim of a template stands for a tag once declare_tag said so; derived tags follow from their formula.
uint64_t tag_id(const Value& tag);
std::string tag_text(const Value& tag);  ///< "Dim{'time'}" as error messages name it
bool is_batch_tag(const Value& tag);

/// A new Dim of the tag's size (dynamic if it has none) that stands for it.
Dim dim_of_tag(const Value& tag, Dim::Kind kind);
bool dim_matches_tag(const Dim& dim, const Value& tag);
/// The axis that stands for the tag; -1 = none.
int axis_of_tag(const Data& data, const Value& tag);
/// The Dim that extern_data has for a tag without a size, of the network that is built; undefined: none has it.
Dim fed_dim_of_tag(const Value& tag);
void set_fed_dim(const Value& tag, const Dim& dim);
/// Makes `dim` stand for the tag; throws kConfig at the tag if its size differs.
void declare_tag(const Dim& dim, const Value& tag);

}  // namespace wende

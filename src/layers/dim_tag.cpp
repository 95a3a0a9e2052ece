#include "layers/dim_tag.h"

#include <fmt/core.h>

#include <map>
#include <optional>
#include <set>

namespace wende {
namespace {

/// By id of a Dim, the tags it stands for. Dims and tags are never used again under the same id.
std::map<uint64_t, std::set<uint64_t>>& tag_table() {
  static std::map<uint64_t, std::set<uint64_t>> table;
  return table;
}

/// By id of a tag, what the data of the newest network have for it.
std::map<uint64_t, Dim>& fed_dims() {
  static std::map<uint64_t, Dim> table;
  return table;
}

void add_tag(const Dim& dim, const Value& tag) { tag_table()[dim.id()].insert(tag_id(tag)); }

bool has_tag(const Dim& dim, const Value& tag) {
  const auto found = tag_table().find(dim.id());
  return found != tag_table().end() && found->second.count(tag_id(tag)) != 0;
}

std::string text_entry(const Value& tag, const char* key) {
  const Value* entry = tag.find(key);
  return entry && entry->is_string() ? entry->as_string() : std::string();
}

std::optional<int64_t> size_of(const Value& tag) {
  const Value* size = tag.find("dimension");
  return size && size->kind() == Value::Kind::kInt ? std::optional<int64_t>(size->as_int()) : std::nullopt;
}

/// Operand of a derived tag: a tag or a number.
bool operand_matches(const Dim& dim, const Value& operand) {
  if (operand.kind() == Value::Kind::kDim) {
    return dim_matches_tag(dim, operand);
  }
  return dim.is_static() && !dim.is_batch() && operand.is_number() && dim.size() == operand.as_int();
}

bool same_op(Dim::Op op, const std::string& name) {
  switch (op) {
    case Dim::Op::kAdd:
      return name == "add";
    case Dim::Op::kSub:
      return name == "sub";
    case Dim::Op::kMul:
      return name == "mul";
    case Dim::Op::kFloorDiv:
      return name == "floordiv";
    case Dim::Op::kCeilDiv:
      return name == "ceildiv";
    default:
      return false;
  }
}

}  // namespace

uint64_t tag_id(const Value& tag) { return static_cast<uint64_t>(tag.find("id")->as_int()); }

std::string tag_text(const Value& tag) {
  const std::optional<int64_t> size = size_of(tag);
  return fmt::format("Dim{{'{}'{}}}", text_entry(tag, "description"), size ? fmt::format("({})", *size) : "");
}

bool is_batch_tag(const Value& tag) { return text_entry(tag, "kind") == "batch"; }

Dim dim_of_tag(const Value& tag, Dim::Kind kind) {
  const std::string kind_name = text_entry(tag, "kind");
  kind = kind_name == "spatial" ? Dim::Kind::kSpatial : kind_name == "feature" ? Dim::Kind::kFeature : kind;
  const std::optional<int64_t> size = size_of(tag);
  const std::string name = text_entry(tag, "description");
  const Dim dim = size ? Dim::fixed(*size, kind, name) : Dim::dynamic(name, kind);
  add_tag(dim, tag);
  return dim;
}

bool dim_matches_tag(const Dim& dim, const Value& tag) {
  if (is_batch_tag(tag)) {
    return dim.is_batch();
  }
  if (has_tag(dim, tag)) {
    return true;
  }
  const Value* inputs = tag.find("inputs");
  const size_t count = dim.operands().size();
  if (!inputs || !same_op(dim.op(), text_entry(tag, "op")) || inputs->items().size() != count) {
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    if (!operand_matches(dim.operands()[i], inputs->items()[i])) {
      return false;
    }
  }
  return true;
}

Dim fed_dim_of_tag(const Value& tag) {
  const auto found = fed_dims().find(tag_id(tag));
  return found == fed_dims().end() ? Dim() : found->second;
}

void set_fed_dim(const Value& tag, const Dim& dim) { fed_dims()[tag_id(tag)] = dim; }

int axis_of_tag(const Data& data, const Value& tag) {
  for (int axis = 0; axis < data.rank(); ++axis) {
    if (dim_matches_tag(data.dims[static_cast<size_t>(axis)], tag)) {
      return axis;
    }
  }
  return -1;
}

void declare_tag(const Dim& dim, const Value& tag) {
  const std::optional<int64_t> size = size_of(tag);
  const bool fits =
      is_batch_tag(tag) ? dim.is_batch() : !dim.is_batch() && (size ? dim.is_static() && dim.size() == *size : true);
  if (!fits) {
    throw tag.error(fmt::format("{} does not fit: the axis is {}", tag_text(tag), dim.str()));
  }
  add_tag(dim, tag);
}

}  // namespace wende

#include "dims/dim.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "base/error.h"

namespace wende {

struct Dim::Info {
  Kind kind = Kind::kSpatial;
  Op op = Op::kRoot;
  int64_t size = -1;  ///< -1 = dynamic
  std::string name;
  std::vector<Dim> operands;
  uint64_t id = 0;
};

namespace {

uint64_t next_id() {
  static std::atomic<uint64_t> counter{1};
  return counter++;
}

int64_t floor_div(int64_t a, int64_t b) {
  if (b <= 0) {
    throw internal_error(fmt::format("dim divided by {}", b));
  }
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

int64_t static_result(Dim::Op op, const std::vector<Dim>& operands) {
  int64_t result = operands[0].size();
  for (size_t i = 1; i < operands.size(); ++i) {
    const int64_t other = operands[i].size();
    switch (op) {
      case Dim::Op::kAdd:
        result += other;
        break;
      case Dim::Op::kSub:
        result -= other;
        break;
      case Dim::Op::kMul:
      case Dim::Op::kPacked:
        result *= other;
        break;
      case Dim::Op::kFloorDiv:
        result = floor_div(result, other);
        break;
      case Dim::Op::kCeilDiv:
        result = -floor_div(-result, other);
        break;
      case Dim::Op::kMax:
        result = std::max(result, other);
        break;
      case Dim::Op::kRoot:
        throw internal_error("a root dim has no operands");
    }
  }
  return result;
}

/// x+0, x-0, x*1, x/1 are x itself: same identity, so that templates still agree.
bool neutral(Dim::Op op, const std::vector<Dim>& operands) {
  if (operands.size() != 2 || !operands[1].is_static()) {
    return false;
  }
  const int64_t other = operands[1].size();
  switch (op) {
    case Dim::Op::kAdd:
    case Dim::Op::kSub:
      return other == 0;
    case Dim::Op::kMul:
    case Dim::Op::kFloorDiv:
    case Dim::Op::kCeilDiv:
      return other == 1;
    default:
      return false;
  }
}

/// (x + a) + b with static a, b is x + (a + b): a padding that is cut off again gives x back. Not for (x - a) + b:
/// lengths below a became 0 in between.
void fold_offsets(Dim::Op& op, std::vector<Dim>& operands) {
  const auto is_offset = [](Dim::Op o) { return o == Dim::Op::kAdd || o == Dim::Op::kSub; };
  if (!is_offset(op) || operands.size() != 2 || !operands[1].is_static()) {
    return;
  }
  const Dim inner = operands[0];
  if (!is_offset(inner.op()) || inner.operands().size() != 2 || !inner.operands()[1].is_static()) {
    return;
  }
  const int64_t a = inner.operands()[1].size() * (inner.op() == Dim::Op::kAdd ? 1 : -1);
  const int64_t b = operands[1].size() * (op == Dim::Op::kAdd ? 1 : -1);
  if (a < 0 && b > 0) {
    return;
  }
  op = a + b < 0 ? Dim::Op::kSub : Dim::Op::kAdd;
  operands = {inner.operands()[0], Dim::fixed(std::abs(a + b), Dim::Kind::kSpatial)};
}

}  // namespace

Dim Dim::batch(std::string name) {
  return Dim(std::make_shared<Info>(Info{Kind::kBatch, Op::kRoot, -1, std::move(name), {}, next_id()}));
}

Dim Dim::fixed(int64_t size, Kind kind, std::string name) {
  if (size < 0) {
    throw Error(ExitStatus::kConfig, fmt::format("the axis '{}' would have the size {}", name, size));
  }
  return Dim(std::make_shared<Info>(Info{kind, Op::kRoot, size, std::move(name), {}, next_id()}));
}

Dim Dim::dynamic(std::string name, Kind kind) {
  return Dim(std::make_shared<Info>(Info{kind, Op::kRoot, -1, std::move(name), {}, next_id()}));
}

Dim Dim::derived(Op op, std::vector<Dim> operands, Kind kind, std::string name) {
  if (operands.empty() || op == Op::kRoot) {
    throw internal_error("a derived dim needs operands");
  }
  if (std::all_of(operands.begin(), operands.end(), [](const Dim& d) { return d.is_static(); })) {
    return fixed(std::max<int64_t>(0, static_result(op, operands)), kind, std::move(name));
  }
  fold_offsets(op, operands);
  if (neutral(op, operands) && operands[0].kind() == kind && name.empty()) {
    return operands[0];
  }
  return Dim(std::make_shared<Info>(Info{kind, op, -1, std::move(name), std::move(operands), next_id()}));
}

Dim::Kind Dim::kind() const {
  if (!info_) {
    throw internal_error("undefined dim");
  }
  return info_->kind;
}

bool Dim::is_static() const { return defined() && info_->size >= 0; }

int64_t Dim::size() const {
  if (!is_static()) {
    if (!defined()) {
      throw internal_error("the size of an undefined dim");
    }
    throw Error(ExitStatus::kConfig, fmt::format("the axis {} has no fixed size, and one is needed here", str()));
  }
  return info_->size;
}

const std::string& Dim::name() const {
  static const std::string kNone;
  return info_ ? info_->name : kNone;
}

Dim::Op Dim::op() const { return info_ ? info_->op : Op::kRoot; }

const std::vector<Dim>& Dim::operands() const {
  static const std::vector<Dim> kNone;
  return info_ ? info_->operands : kNone;
}

uint64_t Dim::id() const { return info_ ? info_->id : 0; }

bool Dim::same_size(const Dim& other) const {
  if (info_ == other.info_) {
    return true;
  }
  if (!defined() || !other.defined()) {
    return false;
  }
  if (is_static() || other.is_static()) {
    return is_static() && other.is_static() && size() == other.size();
  }
  if (op() == Op::kRoot || op() != other.op() || operands().size() != other.operands().size()) {
    return false;
  }
  for (size_t i = 0; i < operands().size(); ++i) {
    if (!operands()[i].same_size(other.operands()[i])) {
      return false;
    }
  }
  return true;
}

Dim Dim::with_kind(Kind kind) const {
  if (defined() && info_->kind == kind) {
    return *this;
  }
  return fixed(size(), kind, name());
}

std::string Dim::str() const {
  if (!defined()) {
    return "?";
  }
  if (is_batch()) {
    return "B";
  }
  if (is_static()) {
    return name().empty() ? fmt::format("({})", size()) : fmt::format("'{}'({})", name(), size());
  }
  if (!name().empty() || op() == Op::kRoot) {
    return fmt::format("'{}'[B]", name());
  }
  static constexpr const char* kSigns[] = {"", "+", "-", "*", "//", "/^", " max ", "&"};
  std::string text;
  for (size_t i = 0; i < operands().size(); ++i) {
    const Dim& operand = operands()[i];
    text += i ? kSigns[static_cast<int>(op())] : "";
    text += operand.is_static()      ? std::to_string(operand.size())
            : operand.name().empty() ? operand.str()
                                     : operand.name();
  }
  return fmt::format("'({})'[B]", text);
}

// The constant comes with the sign that makes it non-negative: fixed dims have sizes >= 0.
Dim operator+(const Dim& dim, int64_t n) {
  return Dim::derived(n < 0 ? Dim::Op::kSub : Dim::Op::kAdd, {dim, Dim::fixed(n < 0 ? -n : n, Dim::Kind::kSpatial)},
                      dim.kind());
}

Dim operator-(const Dim& dim, int64_t n) { return dim + (-n); }

Dim operator*(const Dim& dim, int64_t n) {
  return Dim::derived(Dim::Op::kMul, {dim, Dim::fixed(n, Dim::Kind::kSpatial)}, dim.kind());
}

Dim ceil_div(const Dim& dim, int64_t n) {
  return Dim::derived(Dim::Op::kCeilDiv, {dim, Dim::fixed(n, Dim::Kind::kSpatial)}, dim.kind());
}

Dim longer(const Dim& dim, int64_t by, const std::string& name) {
  return dim.is_static() ? Dim::fixed(dim.size() + by, dim.kind(), name) : dim + by;
}

Dim times(const Dim& dim, int64_t factor, const std::string& name) {
  return dim.is_static() ? Dim::fixed(dim.size() * factor, dim.kind(), name) : dim * factor;
}

}  // namespace wende

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wende {

/// An axis of a template: its identity, role and size. Handles to shared immutable data; cheap to copy.
/// Numbers that change with the batch (padded size, lengths) are not here: they belong to the batch binding.
class Dim {
 public:
  enum class Kind { kBatch, kSpatial, kFeature };
  /// How the size (and every sequence length) of a derived Dim follows from others.
  enum class Op { kRoot, kAdd, kSub, kMul, kFloorDiv, kCeilDiv, kMax, kPacked };

  Dim() = default;  ///< undefined
  /// The batch axis of extern data.
  static Dim batch(std::string name = "batch");
  static Dim fixed(int64_t size, Kind kind = Kind::kFeature, std::string name = "");
  /// A dynamic axis whose lengths come with the batch.
  static Dim dynamic(std::string name, Kind kind = Kind::kSpatial);
  /// Derived from others, e.g. derived(Op::kCeilDiv, {time, Dim::fixed(2)}). All-static operands give a static Dim.
  /// kPacked({batch, time}): the number of valid frames.
  static Dim derived(Op op, std::vector<Dim> operands, Kind kind = Kind::kSpatial, std::string name = "");

  bool defined() const { return info_ != nullptr; }
  Kind kind() const;
  bool is_batch() const { return defined() && kind() == Kind::kBatch; }
  bool is_static() const;
  bool is_dynamic() const { return !is_static(); }
  int64_t size() const;  ///< static size; throws internal_error when dynamic
  const std::string& name() const;
  Op op() const;
  const std::vector<Dim>& operands() const;
  uint64_t id() const;

  /// The same identity.
  bool operator==(const Dim& other) const { return info_ == other.info_; }
  /// The same size whatever the batch: same identity, equal static sizes, or equal formulas of such operands.
  bool same_size(const Dim& other) const;
  Dim with_kind(Kind kind) const;  ///< a static Dim of the same size and name, other role

  std::string str() const;  ///< "B", "T|'time:data'[B]", "F|'fw1:feature'(500)" without the T|, F| marks

 private:
  struct Info;
  explicit Dim(std::shared_ptr<const Info> info) : info_(std::move(info)) {}
  std::shared_ptr<const Info> info_;
};

Dim operator+(const Dim& dim, int64_t n);
Dim operator-(const Dim& dim, int64_t n);
Dim operator*(const Dim& dim, int64_t n);
Dim ceil_div(const Dim& dim, int64_t n);
/// dim + by; of an axis with a fixed size, a new one of this name.
Dim longer(const Dim& dim, int64_t by, const std::string& name);
/// dim * factor, likewise.
Dim times(const Dim& dim, int64_t factor, const std::string& name);

}  // namespace wende

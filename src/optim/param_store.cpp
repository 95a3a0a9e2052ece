#include "optim/param_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "device/memory.h"
#include "tensor/placement.h"

namespace wende {
namespace {

/// Every parameter starts at a multiple of 64 bytes, so that kernels find aligned rows.
constexpr size_t kAlignedFloats = 16;

size_t aligned(size_t floats) { return (floats + kAlignedFloats - 1) / kAlignedFloats * kAlignedFloats; }

size_t floats_of(const ParamSpec& spec) { return static_cast<size_t>(spec.shape.elements()); }

std::shared_ptr<Buffer> zero_floats(size_t count, Device device) {
  auto buffer = Buffer::allocate(count * sizeof(float), device);
  clear_bytes(buffer->data(), device, count * sizeof(float));
  return buffer;
}

Tensor view(std::byte* begin, const std::shared_ptr<Buffer>& owner, size_t offset, const Shape& shape, Device device) {
  return Tensor::wrap(DType::kFloat32, shape, begin + offset * sizeof(float), owner, device);
}

/// Indices of specs in the order of the block: trainable float32 by `order`, then as given.
std::vector<const ParamSpec*> trainable_specs(const std::vector<ParamSpec>& specs,
                                              const std::vector<std::string>& order) {
  std::vector<const ParamSpec*> result;
  std::set<std::string> seen;
  std::map<std::string, const ParamSpec*> by_name;
  for (const ParamSpec& spec : specs) {
    if (spec.trainable && spec.dtype == DType::kFloat32) by_name[spec.name] = &spec;
  }
  for (const std::string& name : order) {
    auto found = by_name.find(name);
    if (found != by_name.end() && seen.insert(name).second) result.push_back(found->second);
  }
  for (const ParamSpec& spec : specs) {
    if (by_name.count(spec.name) != 0 && seen.insert(spec.name).second) result.push_back(&spec);
  }
  return result;
}

}  // namespace

ParamStore::ParamStore(const std::vector<ParamSpec>& specs, const std::vector<std::string>& order, Device device,
                       const GradientMemory& gradient_memory)
    : specs_(specs) {
  size_t trainable_floats = 0;
  for (const ParamSpec* spec : trainable_specs(specs_, order)) {
    trainable_.push_back(spec->name);
    offsets_[spec->name] = trainable_floats;
    trainable_floats += aligned(floats_of(*spec));
  }
  size_t all_floats = trainable_floats;
  // No gap after the last one: gradient buckets expect the extra floats right behind it.
  size_t gradient_floats = extra_floats();
  if (!trainable_.empty()) {
    gradient_floats += offsets_.at(trainable_.back());
    for (const ParamSpec& spec : specs_) gradient_floats += spec.name == trainable_.back() ? floats_of(spec) : 0;
  }
  std::map<std::string, size_t> starts = offsets_;
  for (const ParamSpec& spec : specs_) {
    names_.push_back(spec.name);
    if (spec.dtype != DType::kFloat32 || starts.count(spec.name) != 0) continue;
    starts[spec.name] = all_floats;
    all_floats += aligned(floats_of(spec));
  }
  auto value_buffer = zero_floats(std::max<size_t>(all_floats, kAlignedFloats), device);
  const size_t gradient_bytes = gradient_floats * sizeof(float);
  std::byte* gradients = gradient_memory ? gradient_memory(gradient_bytes) : nullptr;
  std::shared_ptr<Buffer> gradient_owner;
  if (gradients == nullptr) {
    gradient_owner = Buffer::allocate(gradient_bytes, device);
    gradients = gradient_owner->data();
  }
  clear_bytes(gradients, device, gradient_bytes);
  flat_values_ = view(value_buffer->data(), value_buffer, 0, Shape{static_cast<int64_t>(all_floats)}, device);
  flat_gradients_ = view(gradients, gradient_owner, 0, Shape{static_cast<int64_t>(gradient_floats)}, device);
  for (const ParamSpec& spec : specs_) {
    auto start = starts.find(spec.name);
    Tensor value = start == starts.end() ? Tensor::zeros(spec.dtype, spec.shape, device)
                                         : view(value_buffer->data(), value_buffer, start->second, spec.shape, device);
    if (!values_.emplace(spec.name, value).second) {
      throw internal_error(fmt::format("parameter '{}' is declared twice", spec.name));
    }
    if (offsets_.count(spec.name) != 0) {
      gradients_[spec.name] = view(gradients, gradient_owner, offsets_.at(spec.name), spec.shape, device);
    }
  }
}

void ParamStore::initialize(uint64_t seed) {
  for (const ParamSpec& spec : specs_) {
    if (!spec.init) continue;
    const Tensor& value = values_.at(spec.name);
    const Tensor local = on_host(value);
    spec.init(local, seed);
    if (!value.device().is_cpu()) value.copy_from(local);
  }
}

const Tensor& ParamStore::value(const std::string& name) const {
  auto found = values_.find(name);
  if (found == values_.end()) throw internal_error(fmt::format("no parameter '{}'", name));
  return found->second;
}

const Tensor& ParamStore::gradient(const std::string& name) const {
  auto found = gradients_.find(name);
  if (found == gradients_.end()) throw internal_error(fmt::format("parameter '{}' has no gradient", name));
  return found->second;
}

size_t ParamStore::offset(const std::string& name) const {
  auto found = offsets_.find(name);
  if (found == offsets_.end()) throw internal_error(fmt::format("parameter '{}' is not trainable", name));
  return found->second;
}

}  // namespace wende

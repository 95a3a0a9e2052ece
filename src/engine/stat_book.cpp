#include "engine/stat_book.h"

#include <fmt/core.h>

#include <cmath>

#include "engine/step_log.h"

namespace wende {
namespace {

/// "layer:key" -> "layer:batch_key"
std::string reported_name(const std::string& name, const std::string& kind) {
  const size_t colon = name.rfind(':');
  return name.substr(0, colon + 1) + kind + "_" + name.substr(colon + 1);
}

std::string number(double value, StatValue::Type type) {
  switch (type) {
    case StatValue::Type::kInt32:
    case StatValue::Type::kInt64:
      return fmt::format("{}", static_cast<int64_t>(value));
    case StatValue::Type::kFloat32: {
      const std::string text = fmt::format("{}", static_cast<float>(value));
      return text.find_first_of(".enai") == std::string::npos ? text + ".0" : text;
    }
    default:
      return number_text(value);
  }
}

size_t numbers_of(Expr expr) { return expr.rank() == 0 ? 1 : static_cast<size_t>(expr.dim(0).size()); }

}  // namespace

std::string StatValue::text() const {
  if (!is_vector) {
    return number(numbers.front(), type);
  }
  std::string text = "[";
  for (const double value : numbers) {
    text += (text.size() > 1 ? ", " : "") + number(value, type);
  }
  return text + "]";
}

void StatBook::add(const std::vector<Stat>& stats, const std::vector<double>& sums) {
  size_t at = 0;
  for (const Stat& stat : stats) {
    Sums step;
    const size_t count = numbers_of(stat.sum);
    step.sum.assign(sums.begin() + static_cast<std::ptrdiff_t>(at),
                    sums.begin() + static_cast<std::ptrdiff_t>(at + count));
    at += count;
    if (stat.weight.defined()) {
      step.weight = sums[at++];
    }
    Sums& total = accumulated_[stat.name];
    total.sum.resize(count);
    for (size_t i = 0; i < count; ++i) {
      total.sum[i] += step.sum[i];
    }
    total.weight += step.weight;
    report(stat, "batch", step, false);
    report(stat, "accumulated", total, true);
  }
}

void StatBook::report(const Stat& stat, const std::string& kind, const Sums& sums, bool accumulated) {
  StatValue value;
  value.is_vector = stat.sum.rank() > 0;
  value.numbers = sums.sum;
  if (!stat.weight.defined()) {
    value.type = accumulated ? StatValue::Type::kInt64 : StatValue::Type::kInt32;
    latest_[reported_name(stat.name, kind)] = value;
    return;
  }
  value.type = accumulated ? StatValue::Type::kFloat64 : StatValue::Type::kFloat32;
  for (double& entry : value.numbers) {
    entry /= sums.weight;  // nan without any frame
    if (stat.name.find(":loss_perplexity") != std::string::npos) {
      entry = std::exp(entry);
    }
  }
  latest_[reported_name(stat.name, kind)] = value;
}

std::vector<std::string> StatBook::final_lines() const {
  std::vector<std::string> lines;
  if (!latest_.empty()) {
    lines.emplace_back("Stats:");
  }
  for (const auto& [name, value] : latest_) {
    lines.push_back(fmt::format("  stats:{}: {}", name, value.text()));
  }
  return lines;
}

}  // namespace wende

#include "engine/rank_sums.h"

namespace wende {

std::vector<double> flatten(const StepReport& report) {
  std::vector<double> values = {report.loss, report.constraints};
  for (const std::vector<LossReport>* losses : {&report.losses, &report.meta}) {
    for (const LossReport& loss : *losses) {
      values.insert(values.end(), {loss.value, loss.error, loss.inv_norm});
    }
  }
  values.insert(values.end(), report.stats.begin(), report.stats.end());
  for (const auto& [param, rows] : report.rows) {
    values.push_back(rows.squares);
    values.insert(values.end(), rows.marks.begin(), rows.marks.end());
  }
  return values;
}

void unflatten(const std::vector<double>& values, StepReport& report) {
  report.loss = values[0];
  report.constraints = values[1];
  size_t at = 2;
  for (std::vector<LossReport>* losses : {&report.losses, &report.meta}) {
    for (LossReport& loss : *losses) {
      loss = {values[at], values[at + 1], values[at + 2]};
      at += 3;
    }
  }
  for (double& number : report.stats) {
    number = values[at++];
  }
  for (auto& [param, rows] : report.rows) {
    rows.squares = values[at++];
    for (double& mark : rows.marks) {
      mark = values[at++];
    }
  }
}

void count_once(StepReport& report, const Network& network) {
  report.constraints = report.data_constraints;
  for (size_t i = 0; i < report.losses.size(); ++i) {
    if (network.losses()[i].constant_norm) {
      report.losses[i].inv_norm = 0;
    }
  }
}

}  // namespace wende

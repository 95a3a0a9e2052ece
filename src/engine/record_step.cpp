#include "engine/record_step.h"

#include <fmt/core.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "config/literal.h"
#include "engine/run_outputs.h"
#include "io/atomic_file.h"
#include "tensor/placement.h"

namespace wende {

namespace {

/// The value as a Python expression: a literal as it was typed, else a string. A JSON string is a Python string.
std::string as_python(const std::string& typed) {
  try {
    parse_literal(typed);
    return typed;
  } catch (const Error&) {
    return Json(typed).dump();
  }
}

/// Arrays of a batch have the batch axis first; templates may have it elsewhere.
int array_axis(const Data& data, int template_axis) {
  return template_axis < data.batch_axis() ? template_axis + 1 : template_axis;
}

}  // namespace

std::string StepRecorder::config_text() const {
  std::string text = config_.source();
  if (text.find_first_not_of(" \t\r\n") != std::string::npos && text[text.find_first_not_of(" \t\r\n")] == '{') {
    throw Error(ExitStatus::kConfig, "--record-step needs a config in Python: this one is JSON");
  }
  text += "\n\n# Added by --record-step: the command line, and what the step had.\n";
  for (size_t i = 0; i + 1 < options_.overrides.size(); i += 2) {
    text += fmt::format("{} = {}\n", options_.overrides[i], as_python(options_.overrides[i + 1]));
  }
  text += fmt::format("learning_rate = {}\nreplay_step = {}\ntrain_steps = 1\n", learning_rate_, runs_);
  return text;
}

void StepRecorder::before(const Batch& batch, const ParamStore& store, double learning_rate, int64_t runs) {
  runs_ = runs;
  batch_ = batch;
  learning_rate_ = learning_rate;
  for (const std::string& name : store.names()) {
    params_[name] = on_host(store.value(name)).clone();
  }
}

void StepRecorder::write_inputs(hdf5::File& file) const {
  for (const auto& [key, values] : batch_.data) {
    file.write(fmt::format("inputs/{}/data", key), values);
  }
  file.write_strings("inputs/seq_tag/data", batch_.tags);
  for (const auto& [name, lengths] : batch_.lengths) {
    const size_t colon = name.find(':');
    const std::string key = name.substr(0, colon);
    if (batch_.data.count(key) == 0) {
      continue;
    }
    int axis = 1;
    std::string path = fmt::format("inputs/{}/sizes", key);
    if (colon != std::string::npos) {
      axis = array_axis(network_.extern_data().keys.at(key), std::stoi(name.substr(colon + 1)));
      path += fmt::format("_axis{}", axis);
    }
    file.write(path, Tensor::of<int32_t>(lengths, {static_cast<int64_t>(lengths.size())}));
    file.set_attribute(path, "axis", axis);
  }
}

void StepRecorder::after(const StepReport& report, const ParamStore& store,
                         const std::map<std::string, Expr>& gradients) {
  write_file_atomically(options_.path, [&](const std::string& temporary) {
    hdf5::File file = hdf5::File::create(temporary);
    file.set_attribute("/", "format_version", int64_t{1});
    file.set_attribute("/", "step", options_.step);
    file.set_attribute("/", "learning_rate", learning_rate_);
    file.write_string("config", config_text());
    write_inputs(file);
    for (const auto& [name, value] : params_) {
      file.write("params/" + name, value);
    }
    write_losses(file, "train", network_, report);
    for (const auto& [name, expr] : gradients) {
      file.write("grads/" + name, on_host(store.gradient(name)));
    }
    file.close();
  });
  log_line(1, fmt::format("Recorded step {} in {}", options_.step, options_.path));
  params_.clear();
  batch_ = Batch();
}

}  // namespace wende

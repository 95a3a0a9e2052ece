#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"

namespace wende {

/// One entry of the learning-rate file.
struct EpochData {
  double learning_rate = 0;
  std::map<std::string, double> error;  ///< "train_score", "dev_error_output", ":meta:global_train_step", ...
};

/// Learning rates over epochs with RETURNN's rules (semantics section 16), and its file in RETURNN's text format.
class LearningRateControl {
 public:
  explicit LearningRateControl(const Config& config);

  double learning_rate(int epoch);                                         ///< decides and remembers on first ask
  void set_learning_rate(int epoch, double rate);                          ///< whatever was decided
  void set_default_learning_rate(int epoch, double rate);                  ///< unless the epoch has one
  void set_error(int epoch, const std::map<std::string, double>& errors);  ///< merges
  const std::map<int, EpochData>& epochs() const { return epochs_; }
  /// The score that decides (dev_score ...); nan if unknown.
  double score(int epoch) const;

  std::string file() const;       ///< learning_rate_file; "": none
  std::string file_text() const;  ///< "{\n1: EpochData(learningRate=0.01, error={\n...}),\n}\n"
  void save() const;              ///< to learning_rate_file: temporary, fsync, rename; no-op without the option
  void load();                    ///< if the file exists; kMalformedInput with the line when damaged
  static std::map<int, EpochData> parse(const std::string& text, const std::string& file);

 private:
  double decide(int epoch) const;
  Config config_;
  std::map<int, EpochData> epochs_;
};

}  // namespace wende

#pragma once

#include <map>
#include <string>

#include "network/network.h"
#include "tensor/tensor.h"

namespace wende {

/// The option custom_param_importer of the layers: what their parameters take from a model whose shapes may differ.
/// "reset": nothing. "ifpossible": what has the right shape. "subset": that, and of other shapes the corner that both
/// have; the four gates of a cell and a linear layer's sources each for themselves, as RETURNN does it.
class ParamImport {
 public:
  /// otherwise: the mode of parameters whose layer does not have the option.
  explicit ParamImport(const Network& network, std::string otherwise = "");

  /// That of the layer which has the parameter.
  std::string mode(const std::string& param) const;
  /// own: the parameter as it was initialised, on the host; stored: under its name in the model, or nullptr. Throws
  /// kMalformedInput where the shapes do not say what belongs together.
  Tensor value(const std::string& param, const Tensor& own, const Tensor* stored) const;

 private:
  const Network& network_;
  std::map<std::string, std::string> modes_;  ///< by prefix of the names, "layer/"
  std::string otherwise_;
};

}  // namespace wende

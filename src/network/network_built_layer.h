#pragma once

#include "base/error.h"
#include "layers/layer.h"

namespace wende {

/// Base of the classes that are networks of their own: their constructors check the options, and NetworkConstruction
/// builds what is inside.
class NetworkBuiltLayer : public Layer {
 public:
  Data out_data(const LayerContext& context) final { throw built_elsewhere(context.name); }
  Expr build(LayerBuilder& builder) final { throw built_elsewhere(builder.context().name); }

 private:
  static Error built_elsewhere(const std::string& name) {
    return internal_error("layer '" + name + "' is built by its network");
  }
};

}  // namespace wende

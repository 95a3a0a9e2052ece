#include "layers/layer_builder.h"

namespace wende {

LayerOutput LayerBuilder::previous(const std::string& key, const Data&) {
  throw internal_error("the previous '" + key + "' of a layer outside of loops");
}

void LayerBuilder::set_initial(const std::string& key, Expr) {
  throw internal_error("the initial '" + key + "' of a layer outside of loops");
}

Expr LayerBuilder::loop_step() { throw internal_error("the step of a layer outside of loops"); }

Expr LayerBuilder::kept(const std::string&, const Data&) { throw internal_error("this builder keeps no states"); }
void LayerBuilder::keep(const std::string&, Expr) { throw internal_error("this builder keeps no states"); }

}  // namespace wende

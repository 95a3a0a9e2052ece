#include "layers/layer_names.h"

namespace wende {

std::vector<std::string> layer_names(std::initializer_list<const Value*> options) {
  std::vector<std::string> names;
  for (const Value* option : options) {
    if (option->is_string()) {
      names.push_back(option->as_string());
    }
  }
  return names;
}

}  // namespace wende

#pragma once

#include <string>

namespace wende {

/// `wende layers [NAME] [--markdown]`: from the registry and each layer's fields walk.
void list_layers(const std::string& name, bool markdown);

}  // namespace wende

#pragma once

#include <string>

#include "config/value.h"

namespace wende {

/// "extra:" or "extra.NAME:" at the start of a layer's name, else "". Such a name means the layer once more in an
/// overlay of the network, with the same parameters: with the dict of its full name, or else that of the layer itself.
std::string extra_prefix(const std::string& name);
/// Whether the overlay of this layer searches ("extra.search:output"). The name alone says so, not what the run does.
bool extra_net_searches(const std::string& name);
/// The dict that such a name, or an ordinary one, stands for; nullptr: there is none.
const Value* find_layer_dict(const Value& network, const std::string& name);
/// The layer in the overlay that `name` means to a layer of it: the overlay's own where the network has its dict.
std::string in_same_overlay(const Value& network, const std::string& asking_layer, const std::string& name);

}  // namespace wende

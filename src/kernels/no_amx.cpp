#include "kernels/product_tiles.h"

namespace wende::cpu {

const ProductTiles* amx_tiles(ProductPrecision) { return nullptr; }
const ProductTiles* amx_step_tiles() { return nullptr; }

}  // namespace wende::cpu

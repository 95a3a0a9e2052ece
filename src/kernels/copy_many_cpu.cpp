#include <cstring>

#include "kernels/copy_many.h"

namespace wende::cpu {

void copy_many(const std::vector<TensorCopy>& copies) {
  for (const TensorCopy& copy : copies) {
    if (copy.to.bytes() > 0) std::memcpy(copy.to.raw(), copy.from.raw(), copy.to.bytes());
  }
}

}  // namespace wende::cpu

#pragma once

#include "graph/op.h"

namespace wende {

/// An op whose run() calls kernels of context.device(). Any other op gets copies on the host and writes its results
/// there, whatever the device; the executor moves them.
class DeviceOp : public Op {};

}  // namespace wende

#pragma once

#include "config/config.h"

namespace wende {

/// A function as dynamic_learning_rate computes with TensorFlow operations on global_train_step and learning_rate. It
/// is called once, with tensors, as RETURNN calls it; what it built is then evaluated in each step. A function that
/// wants plain numbers (it branches on the step) stays as it is and is called in each step.
Config with_traced_learning_rate(Config config);

}  // namespace wende

#pragma once

namespace wende {

/// Gives the matrix library one thread per process, unless OMP_NUM_THREADS is set: ranks are the way to use more cores.
void limit_library_threads();

}  // namespace wende

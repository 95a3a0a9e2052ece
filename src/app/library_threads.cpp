#include "app/library_threads.h"

#include <dlfcn.h>

#include <cstdlib>

namespace wende {

// OpenMP's threads spin while they wait for each other: on cores that others use too, small products became ten times
// slower. Looked up by name, since the OpenMP library is there only if the matrix library wants it.
void limit_library_threads() {
  if (std::getenv("OMP_NUM_THREADS") != nullptr) {
    return;
  }
  if (void* function = dlsym(RTLD_DEFAULT, "omp_set_num_threads"); function != nullptr) {
    reinterpret_cast<void (*)(int)>(function)(1);
  }
}

}  // namespace wende

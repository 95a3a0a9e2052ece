# Products by AMX (product_tiles_amx.cpp, step_tiles_amx.cpp) where the compiler knows it, no_amx.cpp elsewhere. Whether the processor has it is
# asked when the program runs.
include(CheckCXXSourceCompiles)
set(wende_amx_flags -mamx-tile -mamx-bf16 -mavx512f -mavx512bw)
string(REPLACE ";" " " CMAKE_REQUIRED_FLAGS "${wende_amx_flags}")
check_cxx_source_compiles("
#include <immintrin.h>
#include <sys/syscall.h>
int main() { _tile_dpbf16ps(0, 1, 2); return SYS_arch_prctl; }" WENDE_COMPILER_HAS_AMX)
unset(CMAKE_REQUIRED_FLAGS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND wende_amx_flags -Wno-maybe-uninitialized)  # g++ 12 raises it falsely in its own headers
endif()

function(wende_choose_amx_sources name)
  if(WENDE_COMPILER_HAS_AMX)
    list(FILTER ${name} EXCLUDE REGEX "/no_amx\\.cpp$")
    foreach(source IN LISTS ${name})
      if(source MATCHES "_amx\\.cpp$")
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${wende_amx_flags}")
      endif()
    endforeach()
  else()
    list(FILTER ${name} EXCLUDE REGEX "/(product|step)_tiles_amx\\.cpp$")
  endif()
  set(${name} ${${name}} PARENT_SCOPE)
endfunction()

# Tests that run the program or need an interpreter.
set(python /usr/bin/python3)
include(structure/CMakeTests.cmake)

# Of one case. The largest nets take minutes with sanitizers.
set(golden_limit 300)
set(golden_timeout 900)
if(WENDE_SANITIZE)
  set(golden_limit 2000)
  set(golden_timeout 7000)
endif()
if(TARGET wende)
  add_test(NAME golden COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/golden/run_golden.py $<TARGET_FILE:wende>
    ${CMAKE_CURRENT_SOURCE_DIR}/golden/seed --list ${CMAKE_CURRENT_SOURCE_DIR}/golden/passing.txt --limit ${golden_limit})
  add_test(NAME golden_partition COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/golden/partition_test.py $<TARGET_FILE:wende>
    ${CMAKE_CURRENT_SOURCE_DIR}/golden/seed ${PROJECT_SOURCE_DIR}/../shared/golden/harvest)
  set_tests_properties(golden golden_partition PROPERTIES LABELS golden TIMEOUT ${golden_timeout})
endif()
if(TARGET wende)
  include(golden/harvest_test.cmake)
endif()
include(collective/CMakeTests.cmake)
include(mpi/CMakeTests.cmake)
include(bad_configs/CMakeTests.cmake)
include(e2e/CMakeTests.cmake)
add_subdirectory(fuzz)
include(cudasim/CMakeTests.cmake)
include(fault/CMakeTests.cmake)
include(slurm/CMakeTests.cmake)

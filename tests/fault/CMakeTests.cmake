# Included by tests/program_tests.cmake: what happens to runs (kills, hangs, full disks, damaged files).
# Not with sanitizers, which hold memory and libraries of their own against the limits and preloads of these tests.
if(WENDE_SANITIZE)
  return()
endif()
# They stretch their limits by the machine's load, but alone they say more about times.
add_test(NAME faults COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/run_faults.py $<TARGET_FILE:wende>)
add_test(NAME fault_ranks COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/rank_cases.py $<TARGET_FILE:wende>)
add_test(NAME fault_sweeps COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/sweep_cases.py $<TARGET_FILE:wende>)
add_test(NAME fault_soak COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/soak.py $<TARGET_FILE:wende> --kills 8)
set_tests_properties(faults fault_ranks fault_sweeps fault_soak PROPERTIES LABELS fault TIMEOUT 1800 RUN_SERIAL TRUE)
# Those that depend on no clock run with all other tests.
add_test(NAME faults_without_clocks COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/run_faults.py $<TARGET_FILE:wende>
  kill_in_every_stage_of_a_checkpoint kill_in_file_operations ranks_disagree disk_full file_size_limit damaged_checkpoint
  out_of_memory faults_need_permission)
set_tests_properties(faults_without_clocks PROPERTIES LABELS e2e TIMEOUT 600)

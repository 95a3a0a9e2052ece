# Included by tests/program_tests.cmake: what happens to runs (kills, hangs, full disks, damaged files).
add_test(NAME faults COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/run_faults.py $<TARGET_FILE:wende>)
set_tests_properties(faults PROPERTIES LABELS fault TIMEOUT 1800)
add_test(NAME fault_ranks COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/rank_cases.py $<TARGET_FILE:wende>)
set_tests_properties(fault_ranks PROPERTIES LABELS fault TIMEOUT 900)

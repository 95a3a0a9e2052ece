# Included by tests/program_tests.cmake: scripts of launch/ with stand-ins for what they start.
add_test(NAME gpu_check COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/gpu_check_test.py)
set_tests_properties(gpu_check PROPERTIES LABELS launch TIMEOUT 300)

# Included by tests/program_tests.cmake: what the program says about each wrong config.
add_test(NAME bad_configs COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/run_bad_configs.py $<TARGET_FILE:wende>)
set_tests_properties(bad_configs PROPERTIES LABELS "golden" TIMEOUT 300)

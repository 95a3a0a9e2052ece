add_test(NAME rank_equality COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/rank_equality_test.py $<TARGET_FILE:wende>)
set_tests_properties(rank_equality PROPERTIES LABELS mpi TIMEOUT 300)
add_test(NAME first_error COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/first_error_test.py $<TARGET_FILE:wende>)
set_tests_properties(first_error PROPERTIES LABELS mpi TIMEOUT 300 RUN_SERIAL ON)

# Included by tests/program_tests.cmake. The comparison with RETURNN itself needs an interpreter that has RETURNN and TensorFlow (WENDE_RETURNN_PYTHON).
add_test(NAME differential_nets COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/net_file_test.py)
set_tests_properties(differential_nets PROPERTIES LABELS unit)
if(TARGET wende)
  add_test(NAME differential COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/differential.py $<TARGET_FILE:wende> ${CMAKE_CURRENT_LIST_DIR}/nets/quick.py)
  set_tests_properties(differential PROPERTIES LABELS e2e SKIP_RETURN_CODE 77 TIMEOUT 900)
endif()

# Included by tests/program_tests.cmake: the house rules that a compiler does not check. They run with the unit tests as well, being quick.
foreach(check structure function_length format)
  add_test(NAME ${check} COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/${check}_test.py)
  set_tests_properties(${check} PROPERTIES LABELS "unit;structure")
endforeach()
add_test(NAME names COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/names_test.py ${CMAKE_BINARY_DIR})
set_tests_properties(names PROPERTIES LABELS structure TIMEOUT 900)

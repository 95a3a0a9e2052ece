# Included by tests/program_tests.cmake: the program from config to files, and the page that it writes about itself.
add_test(NAME e2e COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/run_e2e.py $<TARGET_FILE:wende>)
set_tests_properties(e2e PROPERTIES LABELS e2e TIMEOUT 300)
add_test(NAME layers_doc COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/../docs/layers_doc_test.py $<TARGET_FILE:wende>)
set_tests_properties(layers_doc PROPERTIES LABELS unit)

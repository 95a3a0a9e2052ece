# Included by tests/program_tests.cmake: the program from config to files, and the page that it writes about itself.
foreach(name run_e2e configs_test debugging_test demos_test terminal_test utility_layers_test search_test kept_state_test synthetic_gradient_test
    returnn_runs_test returnn_start_test returnn_search_test extern_from_dataset_test)
  string(REGEX REPLACE "run_|_test" "" test ${name})
  add_test(NAME ${test} COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/${name}.py $<TARGET_FILE:wende>)
  set_tests_properties(${test} PROPERTIES LABELS e2e TIMEOUT 900)
endforeach()
add_test(NAME layers_doc COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/../docs/layers_doc_test.py $<TARGET_FILE:wende>)
add_test(NAME docs_snippets COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/../docs/snippets_test.py)
add_test(NAME compatibility_doc COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/../docs/compatibility_test.py $<TARGET_FILE:wende>)
set_tests_properties(layers_doc docs_snippets compatibility_doc PROPERTIES LABELS unit)
add_test(NAME foreign_readers COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/../io/foreign_readers.py $<TARGET_FILE:io_test>)
add_test(NAME returnn_reads_dumps
  COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/../io/returnn_reads_dumps.py $<TARGET_FILE:io_test> $<TARGET_FILE:wende>)
set_tests_properties(foreign_readers returnn_reads_dumps PROPERTIES LABELS e2e SKIP_RETURN_CODE 77 TIMEOUT 300)
add_test(NAME forward_baseline COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/forward_baseline_test.py $<TARGET_FILE:wende>)
set_tests_properties(forward_baseline PROPERTIES LABELS e2e SKIP_RETURN_CODE 77 TIMEOUT 300)
add_test(NAME tensorboard COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/tensorboard_test.py $<TARGET_FILE:wende>)
set_tests_properties(tensorboard PROPERTIES LABELS e2e TIMEOUT 300 SKIP_RETURN_CODE 77)

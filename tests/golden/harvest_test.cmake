# Nets of RETURNN's own tests, recorded like tests/golden/seed but not part of the project: replayed where they are at hand.
set(harvest ${PROJECT_SOURCE_DIR}/../shared/golden/harvest)
add_test(NAME golden_harvest COMMAND sh -c "test -d \"$1\" || { echo 'skipped: no harvest folder'; exit 77; }; exec \"$2\" \"$3\" \"$4\" \"$1\" --list \"$5\" --limit \"$6\""
  sh ${harvest} ${python} ${CMAKE_CURRENT_LIST_DIR}/run_golden.py $<TARGET_FILE:wende> ${CMAKE_CURRENT_LIST_DIR}/passing_harvest.txt
  ${golden_limit})
set_tests_properties(golden_harvest PROPERTIES LABELS golden TIMEOUT ${golden_timeout} SKIP_RETURN_CODE 77)
add_test(NAME golden_initial_values COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/initial_values_test.py $<TARGET_FILE:wende>)
set_tests_properties(golden_initial_values PROPERTIES LABELS golden TIMEOUT ${golden_timeout})
add_test(NAME golden_ranks COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/run_golden.py $<TARGET_FILE:wende>
  ${CMAKE_CURRENT_LIST_DIR}/seed --list ${CMAKE_CURRENT_LIST_DIR}/passing.txt --ranks 2 --limit ${golden_limit})
add_test(NAME golden_harvest_ranks COMMAND sh -c "test -d \"$1\" || { echo 'skipped: no harvest folder'; exit 77; }; exec \"$2\" \"$3\" \"$4\" \"$1\" --list \"$5\" --ranks 2 --limit \"$6\""
  sh ${harvest} ${python} ${CMAKE_CURRENT_LIST_DIR}/run_golden.py $<TARGET_FILE:wende> ${CMAKE_CURRENT_LIST_DIR}/passing_harvest.txt
  ${golden_limit})
set_tests_properties(golden_ranks golden_harvest_ranks PROPERTIES LABELS mpi TIMEOUT ${golden_timeout} SKIP_RETURN_CODE 77)
add_test(NAME golden_files COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/files_test.py $<TARGET_FILE:wende>)
set_tests_properties(golden_files PROPERTIES LABELS golden TIMEOUT ${golden_timeout})
if(NOT WENDE_CUDA STREQUAL "off")
  foreach(slow IN ITEMS "" "_slow")
    add_test(NAME golden_harvest_gpu${slow} COMMAND sh -c "test -d \"$1\" || { echo 'skipped: no harvest folder'; exit 77; }; exec \"$2\" \"$3\" \"$4\" \"$1\" --list \"$5\" --device gpu --limit 900"
      sh ${harvest} ${python} ${CMAKE_CURRENT_LIST_DIR}/run_golden.py $<TARGET_FILE:wende> ${CMAKE_CURRENT_LIST_DIR}/passing_harvest_cuda${slow}.txt)
    set_tests_properties(golden_harvest_gpu${slow} PROPERTIES TIMEOUT 3600 SKIP_RETURN_CODE 77)
  endforeach()
  set_tests_properties(golden_harvest_gpu PROPERTIES LABELS gpu)
  set_tests_properties(golden_harvest_gpu_slow PROPERTIES LABELS "gpu;slow")
endif()

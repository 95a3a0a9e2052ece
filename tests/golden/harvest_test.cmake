# Nets of RETURNN's own tests, recorded like tests/golden/seed but not part of the project: replayed where they are at hand.
set(harvest ${PROJECT_SOURCE_DIR}/../shared/golden/harvest)
add_test(NAME golden_harvest COMMAND sh -c "test -d \"$1\" || { echo 'skipped: no harvest folder'; exit 77; }; exec \"$2\" \"$3\" \"$4\" \"$1\" --list \"$5\" --limit \"$6\""
  sh ${harvest} ${python} ${CMAKE_CURRENT_LIST_DIR}/run_golden.py $<TARGET_FILE:wende> ${CMAKE_CURRENT_LIST_DIR}/passing_harvest.txt
  ${golden_limit})
set_tests_properties(golden_harvest PROPERTIES LABELS golden TIMEOUT ${golden_timeout} SKIP_RETURN_CODE 77)

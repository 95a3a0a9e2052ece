# Included by tests/program_tests.cmake: batch files under a Slurm of one node; status 77 = Slurm is not installed.
add_test(NAME slurm COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/run_slurm.py $<TARGET_FILE:wende>)
set_tests_properties(slurm PROPERTIES LABELS slurm TIMEOUT 1200 SKIP_RETURN_CODE 77)
add_test(NAME slurm_stuck_job COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/stuck_job_test.py $<TARGET_FILE:wende>)
set_tests_properties(slurm_stuck_job PROPERTIES LABELS e2e TIMEOUT 300)

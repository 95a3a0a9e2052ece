# Included by tests/program_tests.cmake: what happens to runs (kills, hangs, full disks, damaged files).
# Only cases that pass each time; `run_faults.py WENDE` and `rank_cases.py WENDE` run all of them.
add_test(NAME faults COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/run_faults.py $<TARGET_FILE:wende>
  kill_in_every_phase kill_in_every_stage_of_a_checkpoint kill_in_file_operations other_ends hang_and_stop hang_names_layer_and_operation slow_rank_is_named ranks_disagree signals
  disk_full file_size_limit full_and_read_only_file_systems one_writer out_of_memory faults_need_permission)
add_test(NAME fault_ranks COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/rank_cases.py $<TARGET_FILE:wende>
  horovod_gradients horovod_parameters horovod_random_seed_offset uneven_data changed_dataset trace_profile_and_map)
set_tests_properties(faults fault_ranks PROPERTIES LABELS fault TIMEOUT 1800 RUN_SERIAL TRUE)

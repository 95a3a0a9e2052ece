# Included by tests/program_tests.cmake: what happens to runs (kills, hangs, full disks, damaged files).
# Not with sanitizers, which hold memory and libraries of their own against the limits and preloads of these tests.
if(WENDE_SANITIZE)
  return()
endif()

function(wende_fault_test name script)
  add_test(NAME ${name} COMMAND ${python} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${script}.py $<TARGET_FILE:wende> ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS fault TIMEOUT 1800)
endfunction()

# Each claims that something is over within seconds. They stretch that by the machine's load, and run alone.
wende_fault_test(fault_times run_faults other_ends hang_and_stop hang_names_layer_and_operation slow_rank_is_named
  term_of_mpirun checkpoints_by_time)
wende_fault_test(fault_hosts sweep_cases several_hosts ranks_that_share_hosts clock_jumps)
set_tests_properties(fault_times fault_hosts PROPERTIES RUN_SERIAL TRUE)
# These claim what is left in the end, however long it takes.
wende_fault_test(fault_kills run_faults kill_in_every_phase kill_in_every_stage_of_a_checkpoint kill_in_file_operations)
wende_fault_test(fault_signals run_faults signals usr1_at_random_steps signals_in_evaluations)
wende_fault_test(fault_files run_faults disk_full file_size_limit full_and_read_only_file_systems
  read_only_in_mid_run damaged_checkpoint one_writer
  one_writer_where_files_cannot_be_locked)
wende_fault_test(fault_other run_faults ranks_disagree out_of_memory faults_need_permission)
wende_fault_test(fault_hostile hostile_cases)
wende_fault_test(fault_ranks rank_cases)
wende_fault_test(fault_failing_files sweep_cases every_write_fails every_close_fails every_fsync_fails every_rename_fails)
wende_fault_test(fault_last_files sweep_cases every_file_operation_is_the_last order_of_file_operations)
wende_fault_test(fault_start sweep_cases signals_at_the_start versions_disagree launchers cores_next_to_gpus)
wende_fault_test(fault_soak soak --kills 8)

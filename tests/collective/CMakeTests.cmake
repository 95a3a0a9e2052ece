# Included by tests/program_tests.cmake: the MPI program with 1 to 5 ranks.
add_executable(mpi_program ${CMAKE_CURRENT_LIST_DIR}/mpi_program.cpp)
wende_link_module(mpi_program collective)
foreach(ranks 1 2 3 5)
  add_test(NAME mpi_program_${ranks}
    COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe -n ${ranks} $<TARGET_FILE:mpi_program> size ${ranks})
endforeach()
# Ranks of one host share memory, and of pretended hosts: of 1 (MPI alone), of 2 and 1 ranks, of 2 and 2, of 3 and 2.
foreach(hosts 2x1 2x2 3x1 3x2 3x3 4x2 4x3 4x4 5x3)
  string(REPLACE x ";" parts ${hosts})
  list(GET parts 0 ranks)
  list(GET parts 1 per_host)
  set(share share)
  if(per_host EQUAL 1)
    set(share "")
  endif()
  add_test(NAME mpi_program_${ranks}_in_hosts_of_${per_host}
    COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe -n ${ranks} -x WENDE_RANKS_PER_HOST=${per_host}
      $<TARGET_FILE:mpi_program> size ${ranks} ${share})
  set_tests_properties(mpi_program_${ranks}_in_hosts_of_${per_host} PROPERTIES LABELS mpi TIMEOUT 120)
endforeach()
add_test(NAME mpi_program_alone COMMAND mpi_program size 1)
# The status of an abort must come out of mpirun as it is.
add_test(NAME mpi_program_abort
  COMMAND sh -c "$1 --allow-run-as-root --oversubscribe -n 2 $2 abort; test $? = 66"
    sh ${MPIEXEC_EXECUTABLE} $<TARGET_FILE:mpi_program>)
# srun without PMIx: a size above one is announced, but each process would be alone.
add_test(NAME mpi_program_singleton
  COMMAND sh -c "env -u PMIX_RANK SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=2 $1 2>&1 | grep -e --mpi=pmix"
    sh $<TARGET_FILE:mpi_program>)
set_tests_properties(mpi_program_1 mpi_program_2 mpi_program_3 mpi_program_5 mpi_program_alone mpi_program_abort mpi_program_singleton
  PROPERTIES LABELS mpi TIMEOUT 60)
# What becomes of gradients: bfloat16 on the wire, shards.
add_executable(gradient_sums_program ${CMAKE_CURRENT_LIST_DIR}/gradient_sums_program.cpp)
wende_link_module(gradient_sums_program collective)
foreach(ranks 2 3)
  add_test(NAME gradient_sums_${ranks}
    COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe -n ${ranks} $<TARGET_FILE:gradient_sums_program>)
  set_tests_properties(gradient_sums_${ranks} PROPERTIES LABELS mpi TIMEOUT 60)
  if(WENDE_CUDA MATCHES "^emulated")
    add_test(NAME gradient_sums_gpu_${ranks}
      COMMAND ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe -n ${ranks} $<TARGET_FILE:gradient_sums_program> gpu)
    set_tests_properties(gradient_sums_gpu_${ranks} PROPERTIES LABELS gpu TIMEOUT 120 ENVIRONMENT "CUDASIM_DEVICES=3")
  endif()
endforeach()

# Builds with CUDA, real or emulated: the same tests once more on the GPU.
if(WENDE_CUDA STREQUAL "off")
  return()
endif()
add_test(NAME ops_gpu COMMAND ops_test)
# Each block of memory has its own end then, which the checks of the emulation and of compute-sanitizer see.
set_tests_properties(ops_gpu PROPERTIES LABELS gpu ENVIRONMENT "WENDE_TEST_DEVICE=gpu;WENDE_CUDA_NO_CACHE=1")
if(NOT WENDE_CUDA STREQUAL "nvcc")  # a library without the epilogues that products ask for
  add_test(NAME products_gpu_plain COMMAND ops_test "--gtest_filter=Linear*:ProductPrecision*")
  set_tests_properties(products_gpu_plain PROPERTIES LABELS gpu ENVIRONMENT "WENDE_TEST_DEVICE=gpu;CUDASIM_NO_EPILOGUES=1")
endif()
if(TARGET wende)
  add_test(NAME golden_gpu COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/golden/run_golden.py $<TARGET_FILE:wende>
    ${CMAKE_CURRENT_SOURCE_DIR}/golden/seed --list ${CMAKE_CURRENT_SOURCE_DIR}/golden/passing_cuda.txt --device gpu)
  set_tests_properties(golden_gpu PROPERTIES LABELS gpu TIMEOUT 1800)
  # Minutes under the emulation: ctest --preset cudasim -L slow
  add_test(NAME golden_gpu_slow COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/golden/run_golden.py $<TARGET_FILE:wende>
    ${CMAKE_CURRENT_SOURCE_DIR}/golden/seed --list ${CMAKE_CURRENT_SOURCE_DIR}/golden/passing_cuda_slow.txt --device gpu --limit 1500)
  set_tests_properties(golden_gpu_slow PROPERTIES LABELS "gpu;slow" TIMEOUT 3600)
  if(NOT WENDE_CUDA STREQUAL "nvcc")  # needs three GPUs
    add_test(NAME ranks_gpu COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/mpi/rank_equality_test.py $<TARGET_FILE:wende> --device gpu)
    set_tests_properties(ranks_gpu PROPERTIES LABELS gpu TIMEOUT 1500 ENVIRONMENT "CUDASIM_DEVICES=3")
    add_test(NAME device_choice COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/cudasim/device_choice_test.py $<TARGET_FILE:wende>)
    set_tests_properties(device_choice PROPERTIES LABELS gpu TIMEOUT 300)
  endif()
endif()
if(WENDE_CUDA STREQUAL "emulated-checked")
  set(planted ${CMAKE_CURRENT_SOURCE_DIR}/cudasim/planted_faults.cu)
  wende_choose_sources(planted)
  add_executable(planted_faults_test cudasim/planted_faults_test.cpp ${planted})
  target_include_directories(planted_faults_test PRIVATE cudasim)
  target_link_libraries(planted_faults_test PRIVATE wende_options wende_cuda GTest::gtest GTest::gtest_main)
  add_test(NAME planted_faults COMMAND planted_faults_test)
  set_tests_properties(planted_faults PROPERTIES LABELS gpu)
endif()
if(WENDE_CUDA STREQUAL "nvcc" AND TARGET wende)
  add_test(NAME cuda_program COMMAND ${python} ${CMAKE_CURRENT_SOURCE_DIR}/cudasim/cuda_program_test.py $<TARGET_FILE:wende>)
  set_tests_properties(cuda_program PROPERTIES LABELS gpu TIMEOUT 300)
endif()

#!/usr/bin/env bash
# On a machine with an NVIDIA GPU and the CUDA toolkit: builds for that GPU, runs the GPU tests with the real libraries, the memory checkers, a table
# of kernels, and training steps beside PyTorch's. Results in out/gpu-check/, a summary on the screen. Written for under ten minutes.
#   launch/gpu-check.sh [build tests sanitize kernels race]     all by default; build first, the others in any order
#   GPU_CHECK_PRESET=cudasim-fast launch/gpu-check.sh           a dry run on the emulation: says nothing about speed
#   TORCH_PYTHON: an interpreter with a PyTorch for GPUs (default python3; without one the race runs alone); JOBS: of the build
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${GPU_CHECK_PRESET:-cuda}
build=build/$preset
out=out/gpu-check
mkdir -p "$out"
export PATH="/usr/bin:$PATH:/usr/local/cuda/bin" OMP_NUM_THREADS=1
faults=0
dry=()
[ "$preset" = cuda ] || dry=(--dry)

step() {  # step NAME SECONDS COMMAND...: its output goes to a file; a failure does not stop the others
  local name=$1 limit=$2
  shift 2
  local start=$SECONDS
  timeout "$limit" "$@" >"$out/$name.log" 2>&1 </dev/null
  local status=$?
  if [ $status -eq 0 ]; then
    printf '%-20s ok      %4d s\n' "$name" $((SECONDS - start))
    return 0
  fi
  printf '%-20s FAILED  %4d s  status %d, %s\n' "$name" $((SECONDS - start)) $status "$out/$name.log"
  tail -n 5 "$out/$name.log" | cut -c1-200 | sed 's/^/    /'
  faults=$((faults + 1))
  return 1
}

wants() {
  [[ " $stages " == *" $1 "* ]]
}

build_all() {
  local options=(-DWENDE_BENCH=ON)
  if [ "$preset" = cuda ]; then
    options+=("-DCMAKE_CUDA_ARCHITECTURES=$architecture")
  fi
  step configure 60 cmake --preset "$preset" "${options[@]}"
  step build 900 cmake --build "$build" -j "${JOBS:-$(nproc)}" --target wende ops_test wende_bench_step wende_bench_kernels_gpu
}

run_tests() {
  step ops 300 env WENDE_TEST_DEVICE=gpu "$build/tests/ops_test"
  step ops-own-kernels 300 env WENDE_TEST_DEVICE=gpu WENDE_NO_CUDNN=1 "$build/tests/ops_test" --gtest_filter='*ecurr*:*Loop*'
  step golden 600 /usr/bin/python3 tests/golden/run_golden.py "$build/wende" tests/golden/seed --list tests/golden/passing_cuda.txt --device gpu
  if [ "$(nvidia-smi --list-gpus | wc -l)" -ge 3 ]; then
    step ranks 600 /usr/bin/python3 tests/mpi/rank_equality_test.py "$build/wende" --device gpu
  else
    echo "ranks                skipped: fewer than three GPUs"
  fi
}

# With blocks of exact sizes, so that their ends are seen.
run_sanitizers() {
  if ! command -v compute-sanitizer >/dev/null; then
    echo "compute-sanitizer is not installed: its four checks are left out"
    return
  fi
  local checked=(env WENDE_TEST_DEVICE=gpu WENDE_CUDA_NO_CACHE=1 compute-sanitizer --error-exitcode 86 --target-processes all)
  for tool in memcheck initcheck racecheck synccheck; do
    step "$tool" 240 "${checked[@]}" --tool "$tool" "$build/tests/ops_test"
  done
}

run_kernels() {
  if step kernels 180 "$build/bench/wende_bench_kernels_gpu" "${dry[@]}"; then
    cat "$out/kernels.log"
  fi
}

run_race() {
  local nets=(ff lstm blstm)
  local rounds=9
  if [ "$preset" != cuda ]; then
    nets=(ff)
    rounds=1
    export LENS=2
  fi
  if step race 300 env BUILD="$build" ROUNDS=$rounds TORCH_PYTHON="${TORCH_PYTHON:-python3}" bench/race.sh --device gpu "${nets[@]}"; then
    cat "$out/race.log"
  fi
}

stages=${*:-build tests kernels race sanitize}
for stage in $stages; do
  case $stage in
    build | tests | sanitize | kernels | race) ;;
    *)
      echo "gpu-check: '$stage' is none of build, tests, sanitize, kernels, race" >&2
      exit 2
      ;;
  esac
done
if ! nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader >"$out/gpu.txt" 2>&1; then
  echo "there is no NVIDIA driver or no GPU here" >&2
  exit 2
fi
cat "$out/gpu.txt"
architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d ' .')
if wants build; then build_all; fi
if [ ! -x "$build/wende" ] || [ ! -x "$build/tests/ops_test" ]; then
  echo "there is no built program in $build" >&2
  exit 1
fi
if wants tests; then run_tests; fi
if wants kernels; then run_kernels; fi
if wants race; then run_race; fi
if wants sanitize; then run_sanitizers; fi
echo "$faults step(s) failed, $SECONDS s"
[ "$faults" -eq 0 ]

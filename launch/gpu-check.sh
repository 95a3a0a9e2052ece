#!/usr/bin/env bash
# On a machine with an NVIDIA GPU and the CUDA toolkit: builds for that GPU, runs the GPU tests with the real libraries, the memory checkers, a table
# of kernels, and training steps beside PyTorch's. Results in out/gpu-check/, a summary on the screen. Written for under ten minutes.
#   launch/gpu-check.sh [build tests sanitize kernels race]     all by default; build first, the others in any order
#   GPU_CHECK_PACK=out/gpu-pack.tar.xz launch/gpu-check.sh      programs made elsewhere by launch/gpu-pack.sh, where there is no MPI, HDF5 or GoogleTest to build with
#   GPU_CHECK_PRESET=cudasim-fast launch/gpu-check.sh           a dry run on the emulation: says nothing about speed
#   TORCH_PYTHON: an interpreter with a PyTorch for GPUs (default python3; without one the race runs alone); JOBS: of the build
# At the end bench/results/<card>.md holds the tables; with OUT=folder that folder gets it and the logs.
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${GPU_CHECK_PRESET:-cuda}
build=build/$preset
out=out/gpu-check
mkdir -p "$out"
export OMP_NUM_THREADS=1
TORCH_PYTHON=${TORCH_PYTHON:-$(command -v python3)}
if [ -n "${GPU_CHECK_PACK:-}" ]; then  # nothing is built; the python3 that comes first has NVIDIA's libraries
  export PATH="$PATH:/usr/bin:/usr/local/cuda/bin"
else
  export PATH="/usr/bin:$PATH:/usr/local/cuda/bin"
fi
faults=0
: >"$out/summary.txt"
python=python3  # with what compares golden numbers
"$python" -c 'import h5py, numpy' 2>/dev/null || python=/usr/bin/python3
dry=()
[ "$preset" = cuda ] || dry=(--dry)

step() {  # step NAME SECONDS COMMAND...: its output goes to a file; a failure does not stop the others
  local name=$1 limit=$2
  shift 2
  local start=$SECONDS
  if [ "$(type -t "$1")" = function ]; then
    "$@" >"$out/$name.log" 2>&1 </dev/null
  else
    timeout "$limit" "$@" >"$out/$name.log" 2>&1 </dev/null
  fi
  local status=$?
  if [ $status -eq 0 ]; then
    printf '%-20s ok      %4d s\n' "$name" $((SECONDS - start)) | tee -a "$out/summary.txt"
    return 0
  fi
  printf '%-20s FAILED  %4d s  status %d, %s\n' "$name" $((SECONDS - start)) $status "$out/$name.log" | tee -a "$out/summary.txt"
  tail -n 5 "$out/$name.log" | cut -c1-200 | sed 's/^/    /'
  faults=$((faults + 1))
  return 1
}

wants() {
  [[ " $stages " == *" $1 "* ]]
}

# Programs of a pack stand where a build would have them.
unpack() {
  local folder
  folder=$(mktemp -d)
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$GPU_CHECK_PACK" "$folder" || return 1
  build=$folder/gpu-pack
  # shellcheck source=/dev/null
  . "$build/env.sh"
  ! LD_LIBRARY_PATH=$build/lib:$WENDE_LIBRARIES ldd "$build/bin/wende" | grep 'not found'
}

# The golden cases in four processes at once: each spends most of its time with starting.
replay() {
  local part status=0 pids=()
  for part in 0 1 2 3; do
    awk -v part=$part 'NR % 4 == part' tests/golden/passing_cuda.txt >"$out/golden.$part.txt"
    "$python" tests/golden/run_golden.py "$build/wende" tests/golden/seed --list "$out/golden.$part.txt" --device gpu >"$out/golden.$part.log" 2>&1 &
    pids+=($!)
  done
  for part in "${pids[@]}"; do wait "$part" || status=1; done
  cat "$out"/golden.?.log
  return $status
}

# What was measured, by card.
write_results() {
  local card file
  card=$(head -1 "$out/gpu.txt" | cut -d, -f1 | tr 'A-Z ' 'a-z-')
  file=bench/results/$card.md
  {
    echo "# $(head -1 "$out/gpu.txt")"
    echo
    echo "$(date +%F), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), \`launch/gpu-check.sh $stages\`$([ -z "${GPU_CHECK_PACK:-}" ] || echo ' with packed programs')"
    echo
    for log in kernels race; do
      [ ! -s "$out/$log.log" ] || { cat "$out/$log.log"; echo; }
    done
    echo '```'
    cat "$out/summary.txt"
    echo '```'
  } >"$file"
  echo "results in $file"
  if [ -n "${OUT:-}" ]; then
    cp "$file" "$OUT/results.md"
    tar -C out -czf "$OUT/logs.tar.gz" gpu-check
  fi
}

build_all() {
  local options=(-DWENDE_BENCH=ON)
  if [ "$preset" = cuda ]; then
    options+=("-DCMAKE_CUDA_ARCHITECTURES=$architecture")
  fi
  step configure 60 cmake --preset "$preset" "${options[@]}"
  step build 900 cmake --build "$build" -j "${JOBS:-$(nproc)}" --target wende ops_test network_test optim_test wende_bench_step wende_bench_kernels_gpu
}

run_tests() {
  step ops 300 env WENDE_TEST_DEVICE=gpu "$build/tests/ops_test"
  step ops-own-kernels 300 env WENDE_TEST_DEVICE=gpu WENDE_NO_CUDNN=1 "$build/tests/ops_test" --gtest_filter='*ecurr*:*Loop*'
  step optimizers 120 env WENDE_TEST_DEVICE=gpu "$build/tests/optim_test" --gtest_filter='Optimizer.*:Updater.*'
  step layers 300 env WENDE_TEST_DEVICE=gpu "$build/tests/network_test" --gtest_filter='*EveryLayer.IsTheSameOnTheDevice*'
  step golden 300 replay
  if [ "$(nvidia-smi --list-gpus | wc -l)" -ge 3 ]; then
    step ranks 600 "$python" tests/mpi/rank_equality_test.py "$build/wende" --device gpu
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
  local tool pids=() failed=0
  for tool in memcheck initcheck racecheck synccheck; do  # at once: nothing is measured here
    step "$tool" 240 "${checked[@]}" --tool "$tool" "$build/tests/ops_test" &
    pids+=($!)
  done
  for tool in "${pids[@]}"; do wait "$tool" || failed=$((failed + 1)); done
  faults=$((faults + failed))
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
  if step race 300 env BUILD="$build" ROUNDS=$rounds TORCH_PYTHON="$TORCH_PYTHON" bench/race.sh --device gpu "${nets[@]}"; then
    cat "$out/race.log"
    if grep -q '^wende: did not start' "$out/race.log"; then
      echo "race                 FAILED: Wende did not start" | tee -a "$out/summary.txt"
      faults=$((faults + 1))
    fi
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
if [ -n "${GPU_CHECK_PACK:-}" ]; then
  if ! unpack; then
    echo "gpu-check: $GPU_CHECK_PACK cannot be used here: what is 'not found' above is missing" >&2
    exit 2
  fi
elif wants build; then
  build_all
fi
if [ ! -x "$build/wende" ] || [ ! -x "$build/tests/ops_test" ]; then
  echo "there is no built program in $build" >&2
  exit 1
fi
if wants tests; then run_tests; fi
if wants kernels; then run_kernels; fi
if wants race; then run_race; fi
if wants sanitize; then run_sanitizers; fi
write_results
echo "$faults step(s) failed, $SECONDS s"
[ "$faults" -eq 0 ]

#!/usr/bin/env bash
# On a machine with an NVIDIA GPU and the CUDA toolkit: builds for that GPU, runs the GPU tests with the real libraries, a table of kernels, training
# steps beside PyTorch's, a timeline, and the memory checkers. Results in out/gpu-check/, a summary on the screen. Written for under ten minutes.
#   launch/gpu-check.sh [build tests sanitize kernels race profile]     all by default; build first, the others in any order
#   GPU_CHECK_PACK=out/gpu-pack.tar.xz launch/gpu-check.sh      programs made elsewhere by launch/gpu-pack.sh, where there is no MPI, HDF5 or GoogleTest to build with
#   GPU_CHECK_PRESET=cudasim-fast launch/gpu-check.sh           a dry run on the emulation: says nothing about speed
#   GPU_CHECK_SECONDS=570   after these every step that still runs is ended, and what was found until then is written
#   TORCH_PYTHON: an interpreter with a PyTorch for GPUs (default python3; without one the race runs alone); JOBS: of the build
# At the end bench/results/<card>.md holds the tables; with OUT=folder that folder gets it and the logs, anew after each stage.
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${GPU_CHECK_PRESET:-cuda}
budget=${GPU_CHECK_SECONDS:-570}
build=build/$preset
out=out/gpu-check
rm -rf "$out"
mkdir -p "$out"
export OMP_NUM_THREADS=1
TORCH_PYTHON=${TORCH_PYTHON:-$(command -v python3)}
if [ -n "${GPU_CHECK_PACK:-}" ]; then  # nothing is built; the python3 that comes first has NVIDIA's libraries
  export PATH="$PATH:/usr/bin:/usr/local/cuda/bin"
else
  export PATH="/usr/bin:$PATH:/usr/local/cuda/bin"
fi
: >"$out/summary.txt"
python=python3  # with what compares golden numbers
"$python" -c 'import h5py, numpy' 2>/dev/null || python=/usr/bin/python3
dry=()
[ "$preset" = cuda ] || dry=(--dry)

say() {
  printf '%s\n' "$*" | tee -a "$out/summary.txt"
}

# What hangs takes none of the time of later stages: each may use up a share, in percent, of what is left when it begins.
stage_end=$budget
begin_stage() {
  stage_end=$((SECONDS + (budget - SECONDS) * $1 / 100))
}

# step NAME SECONDS COMMAND...: its output goes to a file; a failure does not stop the others. Functions run in a shell of their own.
step() {
  local name=$1 limit=$2 rest=$((stage_end - SECONDS)) start=$SECONDS status=0
  shift 2
  [ "$limit" -le "$rest" ] || limit=$rest
  if [ "$limit" -lt 3 ]; then
    say "$(printf '%-20s FAILED  no time left' "$name")"
    return 1
  fi
  timeout -k 5 "$limit" bash -uc '"$@"' bash "$@" >"$out/$name.log" 2>&1 </dev/null || status=$?
  if [ $status -eq 0 ]; then
    say "$(printf '%-20s ok      %4d s' "$name" $((SECONDS - start)))"
    return 0
  fi
  [ $status -ne 124 ] && [ $status -ne 137 ] || status="$status (ended after its $limit s)"
  say "$(printf '%-20s FAILED  %4d s  status %s, %s' "$name" $((SECONDS - start)) "$status" "$out/$name.log")"
  tail -n 5 "$out/$name.log" | cut -c1-200 | sed 's/^/    /'
  return 1
}

# Steps that may run at the same time, as nothing is measured.
pids=()
beside() {
  step "$@" &
  pids+=($!)
}
settle() {
  local pid
  for pid in "${pids[@]}"; do wait "$pid"; done
  pids=()
}

faults() {
  grep -c ' FAILED ' "$out/summary.txt"
}

wants() {
  [[ " $stages " == *" $1 "* ]]
}

# Programs of a pack stand where a build would have them.
unpack() {
  local folder
  folder=$(mktemp -d)
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$GPU_CHECK_PACK" "$folder" || return 1
  export build=$folder/gpu-pack
  # shellcheck source=/dev/null
  . "$build/env.sh"
  ! LD_LIBRARY_PATH=$build/lib:$WENDE_LIBRARIES ldd "$build/bin/wende" | grep 'not found' | tee -a "$out/summary.txt"
}

# The golden cases in several processes at once: each spends most of its time with starting. Those that are slow under the emulation are not so here.
replay() {
  local part parts status=0 pids=()
  parts=$(nproc)
  [ "$parts" -le 8 ] || parts=8
  for ((part = 0; part < parts; ++part)); do
    cat tests/golden/passing_cuda.txt $slow_cases | awk -v part=$part -v parts="$parts" 'NR % parts == part' >"$out/golden.$part.txt"
    "$python" tests/golden/run_golden.py "$build/wende" tests/golden/seed --list "$out/golden.$part.txt" --device gpu >"$out/golden.$part.log" 2>&1 &
    pids+=($!)
  done
  for part in "${pids[@]}"; do wait "$part" || status=1; done
  cat "$out"/golden.?.log
  return $status
}
slow_cases=tests/golden/passing_cuda_slow.txt
[ "$preset" = cuda ] || slow_cases=
export -f replay
export build out python slow_cases

# What was measured, by card.
write_results() {
  local card file log
  card=$(head -1 "$out/gpu.txt" | cut -d, -f1 | tr 'A-Z ' 'a-z-')
  file=bench/results/$card.md
  {
    echo "# $(head -1 "$out/gpu.txt")"
    echo
    echo "$(date +%F), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), \`launch/gpu-check.sh $stages\`$([ -z "${GPU_CHECK_PACK:-}" ] || echo ' with packed programs')"
    echo
    for log in "$out"/kernels.log "$out"/race-*.log "$out"/gaps.log; do
      [ ! -s "$log" ] || { cat "$log"; echo; }
    done
    echo '```'
    cat "$out/summary.txt"
    echo '```'
  } >"$file"
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
  beside ops 200 env WENDE_TEST_DEVICE=gpu "$build/tests/ops_test"
  beside ops-own-kernels 200 env WENDE_TEST_DEVICE=gpu WENDE_NO_CUDNN=1 "$build/tests/ops_test" --gtest_filter='*ecurr*:*Loop*:*Rnn*'
  beside optimizers 120 env WENDE_TEST_DEVICE=gpu "$build/tests/optim_test" --gtest_filter='Optimizer.*:Updater.*'
  beside layers 200 env WENDE_TEST_DEVICE=gpu "$build/tests/network_test" --gtest_filter='*EveryLayer.IsTheSameOnTheDevice*'
  if "$python" -c 'import h5py, numpy' 2>/dev/null; then
    beside golden 200 replay
  else
    say "golden               skipped: no Python here has h5py and numpy"
  fi
  settle
  if [ "$(nvidia-smi --list-gpus | wc -l)" -ge 3 ]; then
    step ranks 300 "$python" tests/mpi/rank_equality_test.py "$build/wende" --device gpu
  else
    say "ranks                skipped: fewer than three GPUs"
  fi
}

# With blocks of exact sizes, so that their ends are seen. Each tool has three processes, which share the tests.
run_sanitizers() {
  if ! command -v compute-sanitizer >/dev/null; then
    say "compute-sanitizer    skipped: not installed"
    return
  fi
  local tool shard errors
  for tool in memcheck initcheck racecheck synccheck; do
    for shard in 0 1 2; do
      beside "$tool-$shard" 300 env WENDE_TEST_DEVICE=gpu WENDE_CUDA_NO_CACHE=1 GTEST_TOTAL_SHARDS=3 GTEST_SHARD_INDEX=$shard \
        compute-sanitizer --error-exitcode 86 --target-processes all --tool "$tool" "$build/tests/ops_test"
    done
  done
  settle
  for tool in memcheck initcheck racecheck synccheck; do  # also of those that were ended
    errors=$(grep -hE '^=+ (Invalid|Uninitialized|Error|Barrier|Program hit|ERROR: Race)' "$out/$tool"-?.log | sort | uniq -c | sort -rn | head -n 5)
    say "$(printf '%-20s %d tests%s' "$tool" "$(cat "$out/$tool"-?.log 2>/dev/null | grep -c '^\[       OK \]')" "${errors:+, findings:}")"
    [ -z "$errors" ] || say "$errors"
  done
}

run_kernels() {
  if step kernels 150 "$build/bench/wende_bench_kernels_gpu" "${dry[@]}"; then
    cat "$out/kernels.log"
  fi
}

# One network after the other, so that what there was time for is there.
run_race() {
  local nets=(ff lstm blstm att) net
  local rounds=9
  if [ "$preset" != cuda ]; then
    nets=(ff)
    rounds=1
    export LENS=2
  fi
  for net in "${nets[@]}"; do
    step "race-$net" 90 env BUILD="$build" ROUNDS=$rounds TORCH_PYTHON="$TORCH_PYTHON" bench/race.sh --device gpu "$net" && cat "$out/race-$net.log"
    if grep -q '^wende: did not start' "$out/race-$net.log" 2>/dev/null; then
      say "race-$net            FAILED  Wende did not start"
    fi
  done
}

# How much of the time between its first and its last operation the GPU had nothing to do, from a timeline of Nsight Systems.
gaps_of() {
  nsys stats -r cuda_gpu_trace --format csv --force-export=true "$1" | awk -F, '
    $1 ~ /^[0-9]+$/ && $2 ~ /^[0-9]+$/ {
      if (first == "") first = $1
      if ($1 > end && end != "") idle += $1 - end
      if ($1 + $2 > end) end = $1 + $2
      count += 1
    }
    END {
      if (count == 0) exit 1
      printf "%s: %d operations on the GPU in %.3f ms, %.1f %% of that time idle\n", FILE, count, (end - first) / 1e6, 100 * idle / (end - first)
    }' FILE="$(basename "$1")"
}
export -f gaps_of

run_profile() {
  local net
  if ! command -v nsys >/dev/null; then
    say "profile              skipped: nsys is not installed"
    return
  fi
  for net in ff blstm; do
    step "profile-$net" 60 nsys profile -t cuda,nvtx --cuda-graph-trace=node --force-overwrite=true -o "$out/$net" "$build/bench/wende_bench_step" \
      "bench/networks/$net.config" --device gpu --warmup 5 --steps 10
    [ ! -f "$out/$net.nsys-rep" ] || step "gaps-$net" 60 gaps_of "$out/$net.nsys-rep"
  done
  cat "$out"/gaps-*.log >"$out/gaps.log" 2>/dev/null
}

stages=${*:-build tests kernels race profile sanitize}
for stage in $stages; do
  case $stage in
    build | tests | sanitize | kernels | race | profile) ;;
    *)
      echo "gpu-check: '$stage' is none of build, tests, sanitize, kernels, race, profile" >&2
      exit 2
      ;;
  esac
done
if ! nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader >"$out/gpu.txt" 2>&1; then
  echo "there is no NVIDIA driver or no GPU here" >&2
  exit 2
fi
mkdir -p bench/results
trap write_results EXIT  # also where somebody ends this
trap 'exit 143' TERM INT
cat "$out/gpu.txt"
architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d ' .')
if [ -n "${GPU_CHECK_PACK:-}" ]; then
  if ! unpack; then
    say "$GPU_CHECK_PACK cannot be used here: what is 'not found' is missing"
    exit 2
  fi
elif wants build; then
  build_all
fi
if [ ! -x "$build/wende" ] || [ ! -x "$build/tests/ops_test" ]; then
  say "there is no built program in $build"
  exit 1
fi
for stage in tests kernels race profile sanitize; do
  if wants "$stage"; then
    case $stage in
      tests) begin_stage 40 && run_tests ;;
      kernels) begin_stage 35 && run_kernels ;;
      race) begin_stage 50 && run_race ;;
      profile) begin_stage 30 && run_profile ;;
      sanitize) begin_stage 100 && run_sanitizers ;;
    esac
    write_results
  fi
done
echo "results in bench/results; $(faults) step(s) failed, $SECONDS s"
[ "$(faults)" -eq 0 ]

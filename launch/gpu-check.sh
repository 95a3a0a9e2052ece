#!/usr/bin/env bash
# On a machine with an NVIDIA GPU and the CUDA toolkit: builds for that GPU, runs the GPU tests with the real libraries, the memory checkers,
# and times one training step of each benchmark network on CPU and GPU. Results in out/gpu-check/.
set -uo pipefail
cd "$(dirname "$0")/.."
out=out/gpu-check
mkdir -p "$out"
export PATH="/usr/bin:$PATH:/usr/local/cuda/bin" OMP_NUM_THREADS=1
faults=0

step() {  # step NAME COMMAND...: its output goes to a file; a failure does not stop the others
  local name=$1
  shift
  local start=$SECONDS
  if "$@" >"$out/$name.log" 2>&1; then
    printf '%-20s ok      %4d s\n' "$name" $((SECONDS - start))
  else
    printf '%-20s FAILED  %4d s  (%s)\n' "$name" $((SECONDS - start)) "$out/$name.log"
    faults=$((faults + 1))
  fi
}

if ! nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader >"$out/gpu.txt"; then
  echo "there is no NVIDIA driver or no GPU here" >&2
  exit 2
fi
cat "$out/gpu.txt"
architecture=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)

step configure cmake --preset cuda -DCMAKE_CUDA_ARCHITECTURES="$architecture"
step build cmake --build --preset cuda --target wende ops_test
if [ ! -x build/cuda/wende ]; then
  tail -20 "$out/build.log"
  exit 1
fi
step ops env WENDE_TEST_DEVICE=gpu build/cuda/tests/ops_test
step golden /usr/bin/python3 tests/golden/run_golden.py build/cuda/wende tests/golden/seed --list tests/golden/passing.txt --device gpu
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck initcheck synccheck; do
    step "$tool" env WENDE_TEST_DEVICE=gpu WENDE_CUDA_NO_CACHE=1 compute-sanitizer --tool "$tool" --error-exitcode 86 \
      build/cuda/tests/ops_test
  done
else
  echo "compute-sanitizer is not installed: its four checks are left out"
fi
echo "$faults step(s) failed"
[ "$faults" -eq 0 ]

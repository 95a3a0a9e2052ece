#!/bin/bash
# Runs training steps of Wende and of its peers in turn on one core, or on the GPU, and prints medians and their ratios.
#   bench/race.sh [--device gpu] [ff lstm blstm att trafo conformer]      BUILD, CORE, ROUNDS, LENS, TORCH_PYTHON, RETURNN_PYTHON, RETURNN_ROOT from the environment
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
device=cpu
if [ "${1:-}" = --device ]; then
  device=$2
  shift 2
fi
build=${BUILD:-$here/../build/$([ "$device" = cpu ] && echo cpu || echo cuda)}
core=${CORE:-0}
rounds=${ROUNDS:-5}
torch_python=${TORCH_PYTHON:-python3}
returnn_python=${RETURNN_PYTHON:-python3}
step=$build/bench/wende_bench_step
[ -x "$step" ] || step=$build/wende_bench_step
if [ ! -x "$step" ]; then
  echo "race: no wende_bench_step in $build: configure it with -DWENDE_BENCH=ON" >&2
  exit 2
fi
[ $# -gt 0 ] || set -- ff lstm blstm att trafo conformer
malloc="MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456"

has() {  # script, python, modules
  local script=$1 python=$2 modules=$3
  [ -f "$here/peers/$script" ] || { echo "race: skips $script: not there" >&2; return 1; }
  PYTHONPATH=${RETURNN_ROOT:-} "$python" -c "import $modules" 2>/dev/null || {
    echo "race: skips $script: $python has no $modules" >&2
    return 1
  }
}

export OMP_NUM_THREADS=1
with_torch=0
with_returnn=0
has torch_step.py "$torch_python" torch,numpy && with_torch=1
[ "$device" = cpu ] && has returnn_step.py "$returnn_python" tensorflow,returnn && with_returnn=1
for net in "$@"; do
  if [ "$device" = gpu ]; then  # PyTorch's best there: cuDNN on packed sequences, fused Adam
    lens=""
    case $net in ff | lstm | blstm) lens="--lens ${LENS:-100-300}" ;; esac
    programs=("wende=$step $here/networks/$net.config --server --device gpu $lens")
    if [ $with_torch = 1 ]; then
      programs+=("torch=$torch_python $here/peers/torch_step.py $net --server --device cuda --mode packed $lens"
        "torch padded=$torch_python $here/peers/torch_step.py $net --server --device cuda $lens")
    fi
    echo "== $net"
    python3 "$here/peers/interleave.py" --rounds "$rounds" "${programs[@]}"
    continue
  fi
  programs=("wende=$step $here/networks/$net.config --server")
  if [ $with_torch = 1 ]; then
    programs+=("torch=$torch_python $here/peers/torch_step.py $net --server")
    programs+=("torch tuned malloc=env $malloc $torch_python $here/peers/torch_step.py $net --server")
  fi
  if [ $with_returnn = 1 ]; then
    programs+=("returnn=$returnn_python $here/peers/returnn_step.py $net --server")
  fi
  echo "== $net"
  taskset -c "$core" python3 "$here/peers/interleave.py" --rounds "$rounds" --peak "${step/step/fma_peak}" "${programs[@]}"
done

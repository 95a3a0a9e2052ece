#!/usr/bin/env bash
# launch/mpirun.sh N my.config [more arguments of wende]: N processes by mpirun, each bound to cores of its own (by the
# topology that Open MPI's hwloc sees; where there are GPUs, next to its own one: launch/near-gpu.sh), with
# OMP_NUM_THREADS to match.
#   HOSTS=node1:8,node2:8   several hosts        WENDE=path/of/wende   another program
#   KILL_SECONDS=5          mpirun passes a TERM on after so long, and kills after as long again: the time for a last
#                           checkpoint. It also waits twice as long at the end of every run with a status other than 0.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,7s/^# //p' "$0"; exit 2; }
ranks=$1; shift
here=$(cd "$(dirname "$0")/.." && pwd)
wende=${WENDE:-$here/build/cpu/wende}
cores=$(nproc)
# A host that is gone is noticed by mpirun after a minute instead of eight.
options=(-n "$ranks" --mca oob_tcp_keepalive_time 30 --mca oob_tcp_keepalive_intvl 10 --mca oob_tcp_keepalive_probes 3
  --mca odls_base_sigkill_timeout "${KILL_SECONDS:-5}")
if [ "$(id -u)" = 0 ]; then options+=(--allow-run-as-root); fi
gpus=$( (nvidia-smi -L 2>/dev/null || true) | grep -c '^GPU ' || true)
if [ -n "${HOSTS:-}" ]; then
  options+=(--host "$HOSTS" --bind-to core --map-by slot)
elif [ "${gpus:-0}" -ge 1 ]; then
  options+=(--bind-to none)
  [ "$ranks" -le "$cores" ] || options+=(--oversubscribe)
elif [ "$ranks" -le "$cores" ]; then
  each=$((cores / ranks))
  options+=(--bind-to core --map-by "slot:PE=$each")
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$each}
else
  options+=(--oversubscribe --bind-to none)   # more processes than cores: the kernel shares them out
fi
for name in $(compgen -e | grep -E '^(OMP_|WENDE_|CUDA_VISIBLE_DEVICES)' || true); do options+=(-x "$name"); done
exec mpirun "${options[@]}" "$here/launch/near-gpu.sh" "$wende" "$@"

#!/usr/bin/env bash
# launch/local.sh my.config [more arguments of wende]: one process per GPU of this machine (nvidia-smi -L), or one in
# all where there is none. RANKS=n says otherwise.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,3s/^# //p' "$0"; exit 2; }
ranks=${RANKS:-$( (nvidia-smi -L 2>/dev/null || true) | grep -c '^GPU ' || true)}
[ "${ranks:-0}" -ge 1 ] || ranks=1
exec "$(dirname "$0")/mpirun.sh" "$ranks" "$@"

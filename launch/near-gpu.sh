#!/usr/bin/env bash
# launch/near-gpu.sh PROGRAM ...: how launch/mpirun.sh starts each process. Binds it to cores next to its GPU, by the
# kernel's topology (/sys/bus/pci/devices/*/local_cpulist); processes whose GPUs have the same cores next to them share
# them out, whole cores each, and OMP_NUM_THREADS says how many. Without GPUs everything stays as it is.
#   SYS=/sys   where the topology is read from
set -uo pipefail
sys=${SYS:-/sys}
rank=${OMPI_COMM_WORLD_LOCAL_RANK:-0}
ranks=${OMPI_COMM_WORLD_LOCAL_SIZE:-1}

expand() {  # 0-2,8 -> 0 1 2 8
  local part
  for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done
}

# The GPUs in the order of CUDA_DEVICE_ORDER=PCI_BUS_ID, those that CUDA_VISIBLE_DEVICES leaves.
mapfile -t gpus < <(nvidia-smi --query-gpu=pci.bus_id --format=csv,noheader 2>/dev/null | grep -E '^[0-9A-Fa-f]+:')
if [[ ${CUDA_VISIBLE_DEVICES:-} =~ ^[0-9,]+$ ]]; then
  visible=()
  for index in ${CUDA_VISIBLE_DEVICES//,/ }; do visible+=("${gpus[index]:-}"); done
  gpus=("${visible[@]}")
fi
[ ${#gpus[@]} -gt 0 ] || exec "$@"
export CUDA_DEVICE_ORDER=PCI_BUS_ID

cores_of_gpu() {  # of that process's GPU: "0-15,64-79"
  local id=${gpus[$1 % ${#gpus[@]}],,}
  cat "$sys/bus/pci/devices/${id: -12}/local_cpulist" 2>/dev/null
}
list=$(cores_of_gpu "$rank")
[ -n "$list" ] || exec "$@"
mates=0 before=0
for ((other = 0; other < ranks; ++other)); do
  [ "$(cores_of_gpu "$other")" = "$list" ] || continue
  mates=$((mates + 1))
  [ "$other" -ge "$rank" ] || before=$((before + 1))
done
# The launcher's own cores are those that the job may use: mpirun may have bound this process to one already.
allowed=" $(expand "$(awk '/^Cpus_allowed_list/{print $2}' /proc/$PPID/status)" | tr '\n' ' ')"
cores=()  # each with its hardware threads: "3,67"
for cpu in $(expand "$list"); do
  [[ $allowed == *" $cpu "* ]] || continue
  threads=$(cat "$sys/devices/system/cpu/cpu$cpu/topology/thread_siblings_list" 2>/dev/null || echo "$cpu")
  [[ " ${cores[*]-} " == *" $threads "* ]] || cores+=("$threads")
done
first=$((before * ${#cores[@]} / mates))
count=$(((before + 1) * ${#cores[@]} / mates - first))
[ "$count" -gt 0 ] || exec "$@"
own=("${cores[@]:first:count}")
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$count}
exec taskset -c "$(IFS=,; echo "${own[*]}")" "$@"

#!/bin/bash
# A private one-node Slurm without systemd and cgroups, as root, for tests.
#   one_node.sh up | down        state in $D; $D/slurm.conf is the SLURM_CONF; ports $PORT and the next
#   one_node.sh install          Debian's packages, if apt can get them
# It pretends 4 processors and 2 GPUs (character devices like /dev/null), whatever the machine has.
set -eu
D=${D:-/tmp/wende-slurm}
host=$(hostname -s)
port=${PORT:-16827}
export SLURM_CONF=$D/slurm.conf

write_files() {
  mkdir -p "$D"/{munge,ctld,d,log,gpu}
  chmod 0755 "$D"; chmod 0700 "$D/munge"
  [ -s "$D/munge/key" ] || (umask 077; head -c 1024 /dev/urandom > "$D/munge/key")
  for i in 0 1; do [ -e "$D/gpu/nvidia$i" ] || mknod "$D/gpu/nvidia$i" c 1 3; done
  echo "Name=gpu File=$D/gpu/nvidia[0-1] Flags=nvidia_gpu_env" > "$D/gres.conf"
  # cred_expire: how long a requeued job waits before it may start again. KillWait: from TERM to KILL.
  cat > "$D/slurm.conf" <<C
ClusterName=wende-test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$D/munge/sock,cred_expire=5
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmctldPidFile=$D/ctld.pid
SlurmdPidFile=$D/d.pid
StateSaveLocation=$D/ctld
SlurmdSpoolDir=$D/d
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5,sched_min_interval=200000
MpiDefault=pmix
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=30
MinJobAge=300
JobRequeue=1
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=2000 Gres=gpu:2 State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=60 State=UP OverSubscribe=FORCE:2
C
}

up() {
  write_files
  munged --force --key-file="$D/munge/key" --socket="$D/munge/sock" --pid-file="$D/munge/pid" \
         --log-file="$D/munge/log" --seed-file="$D/munge/seed"
  slurmctld -c
  slurmd -N "$host"
  for _ in $(seq 150); do sinfo -h -o %T 2>/dev/null | grep -q '^idle' && break; sleep 0.2; done
  timeout 60 srun -n1 true || { tail -n 20 "$D"/log/*.log; return 1; }
}

down() {
  scancel -u root 2>/dev/null || true
  for file in d.pid ctld.pid munge/pid; do   # by their own pid files: just what `up` started
    [ -s "$D/$file" ] || continue
    pid=$(cat "$D/$file"); kill "$pid" 2>/dev/null || continue
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  done
}

case "${1:-}" in
  up) up;;
  down) down;;
  install)
    export DEBIAN_FRONTEND=noninteractive
    packages="slurm-wlm munge libpmix2"
    apt-get install -y --no-install-recommends $packages >/dev/null 2>&1 ||
      { apt-get update -qq && apt-get install -y --no-install-recommends $packages >/dev/null; };;
  *) sed -n 2,5p "$0"; exit 2;;
esac

#!/usr/bin/env python3
"""What must hold everywhere, tried everywhere: each file operation fails or is the last, signals at any moment of the
start, the order of operations on files, a clock that jumps, several hosts.

sweep_cases.py WENDE [CASE ...]
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from fault_runs import Run, Skip, assert_same_model, final_model, finish, main, slack, write_config
from hosts import Hosts

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CASES = {}
MORE = "checkpoint_interval_steps = 2\nwatchdog_timeout = 60\n"
# few operations in all, with a checkpoint that replaces another
SHORT = "checkpoint_interval_steps = 1\nwatchdog_timeout = 60\nnum_epochs = 1\n"
FAULTS = ["-x", "WENDE_FAULT", "-x", "WENDE_ALLOW_FAULTS"]


def case(function):
    CASES[function.__name__] = function
    return function


class World:
    def __init__(self, wende, folder):
        self.wende, self.folder, self.shim_path = wende, folder, None

    def config(self, name, seqs=8, more=MORE, layers=""):
        config = write_config(self.folder, name, seqs=seqs, more=more)
        config.write_text("import os\n" + config.read_text().replace('"output": {', layers + '"output": {'))
        return config

    def train(self, name, ranks=1, **kwargs):
        """Nothing happens to it."""
        status, text = finish(self.wende, self.config(name, **kwargs), ranks)
        assert status == 0, text
        return text

    def shim(self):
        if self.shim_path is None:
            self.shim_path = self.folder / "shim.so"
            command = ["cc", "-shared", "-fPIC", "-O1", "-o", self.shim_path, HERE / "system_shim.c", "-ldl"]
            subprocess.run(command, check=True)
        return str(self.shim_path)


DUMP = '"dump": {"class": "hdf_dump", "is_output_layer": True, "from": "output", "filename": os.environ["DUMP"]},'
DUMPED = ["inputs", "seqTags", "seqLengths"]


def dumped(path):
    with h5py.File(path) as file:
        return [file[name][:].tolist() for name in DUMPED]


def sweep(world, what, environment, statuses):
    """Something at the n-th operation of a kind for all n: what is there is whole, and the same command goes on.
    environment(n) makes it happen; how often it did."""
    for n in range(1, 1000):
        name = f"{what}-{n}"
        config = world.config(name, seqs=6, more=SHORT, layers=DUMP)
        dump = world.folder / f"{name}.hdf"
        run = Run(world.wende, config, 1, environment={"DUMP": str(dump), **environment(n)})
        status, text = run.end(), run.text
        if "fault: " not in text and "shim: " not in text:
            assert status == 0 and n > 5, (n, status, text)
            return n - 1
        assert status in statuses, f"{what} {n}: status {status}\n{text}"
        assert status <= 0 or str(world.folder / name) in text.replace("shim: ", "", 1), (n, status, text)
        for path in (world.folder / name).glob("m.*.wende"):
            inspect = subprocess.run([world.wende, "inspect", path], capture_output=True, text=True)
            assert inspect.returncode == 0, f"{what} {n}: {inspect.stderr}"
        rates = world.folder / name / "m.lr"
        assert not rates.exists() or rates.read_text().rstrip().endswith("}"), rates.read_text()
        metrics = world.folder / name / "metrics.jsonl"
        assert not metrics.exists() or [json.loads(line) for line in metrics.read_text().splitlines()] is not None
        assert not dump.exists() or dumped(dump) == dumped(world.folder / "reference-short.hdf"), f"{what} {n}: {text}"
        assert dump.exists() or status != 0, f"{what} {n}: no dump\n{text}"
        status, text = finish(world.wende, config, 1, environment={"DUMP": f"{dump}.second"})
        assert status == 0, f"{what} {n}: {text}"
        assert_same_model(world.folder, name, "reference-short", epoch=1)
        leftovers = [p.name for p in (world.folder / name).iterdir() if ".tmp." in p.name or ".old." in p.name]
        assert not leftovers, leftovers
    raise AssertionError("it never ended")


def short_reference(world):
    dump = world.folder / "reference-short.hdf"
    if dump.exists():
        return
    config = world.config("reference-short", seqs=6, more=SHORT, layers=DUMP)
    status, text = finish(world.wende, config, 1, environment={"DUMP": str(dump)})
    assert status == 0, text


def fail_each(world, what):
    """By the library call, so also those that libhdf5 makes. 0: of a file that the run can do without."""
    short_reference(world)
    shim = {"LD_PRELOAD": world.shim()}
    times = sweep(world, f"fail-{what}", lambda n: {**shim, "SHIM_FAIL": f"{what}:{n}"}, [0, 73, 74])
    print(f"  {what} failed {times} times", flush=True)


@case
def every_write_fails(world):
    fail_each(world, "write")


@case
def every_close_fails(world):
    fail_each(world, "close")


@case
def every_fsync_fails(world):
    fail_each(world, "fsync")


@case
def every_rename_fails(world):
    fail_each(world, "rename")


@case
def every_file_operation_is_the_last(world):
    short_reference(world)
    for place in ["io-write", "io-fsync", "io-rename"]:
        times = sweep(world, f"kill-{place}",
                      lambda n: {"WENDE_FAULT": f"kill@rank0:{place}#{n}", "WENDE_ALLOW_FAULTS": "1"}, [-9])
        print(f"  killed at {place}: {times} times", flush=True)


@case
def signals_at_the_start(world):
    """USR1 at any time of the first moments: a checkpoint and 75, or (before main has begun) nothing has happened."""
    world.train("reference48", seqs=48)
    early = stopped = 0
    while stopped < 12 or early + stopped < 24:  # a busy machine takes its time to reach main
        name = f"start-{early + stopped}"
        config = world.config(name, seqs=48)
        run = Run(world.wende, config, 1, fault="slow=5ms@rank0:forward")
        time.sleep(0.008 * (early + stopped))
        run.process.send_signal(signal.SIGUSR1)
        status = run.end()
        if status == -signal.SIGUSR1:
            assert run.text == "", run.text
            early += 1
            assert early < 100, "never stopped"
        else:
            assert status == 75 and "the same command goes on" in run.text, (status, run.text)
            stopped += 1
            status, text = finish(world.wende, config, 1)
            assert status == 0, text
            assert_same_model(world.folder, name, "reference48")
    print(f"  {stopped} stopped with a checkpoint, {early} before main had begun")


@case
def signals_every_ten_milliseconds(world):
    """USR1 to mpirun at each of the first 200 hundredths of a second: nothing is lost, whatever it meets. (Minutes.)"""
    world.train("reference-two", ranks=2, seqs=48)
    ends = {}
    for i in range(200):
        name = f"moment-{i}"
        config = world.config(name, seqs=48)
        run = Run(world.wende, config, 2, fault="slow=40ms@rank0:forward")
        time.sleep(0.01 * i)
        run.process.send_signal(signal.SIGUSR1)
        status = run.end()
        ends[status] = ends.get(status, 0) + 1
        # Before mpirun and main have begun, and when mpirun is ending itself, a process has no handler: nothing has happened, or all.
        outside = "start epoch" not in run.text or "Finished training" in run.text
        assert status in (0, 75) or (outside and status in (-signal.SIGUSR1, 128 + signal.SIGUSR1)), (i, status, run.text)
        status, text = finish(world.wende, config, 2)
        assert status == 0, text
        assert_same_model(world.folder, name, "reference-two")
        shutil.rmtree(world.folder / name)
    print("  statuses:", ", ".join(f"{count} x {status}" for status, count in sorted(ends.items())))


@case
def order_of_file_operations(world):
    """Nothing gets its final name before its bytes are on the disk, and each new name is made to last."""
    config = world.config("order")
    log = world.folder / "order.log"
    run = Run(world.wende, config, 1, environment={"LD_PRELOAD": world.shim(), "SHIM_LOG": str(log)})
    assert run.end() == 0, run.text
    events = [line.split("\t") for line in log.read_text().splitlines()]
    synced, renames = set(), 0
    for i, (what, first, second) in enumerate(events):
        if what == "fsync":
            synced.add(first)
            continue
        renames += 1
        parts = {f"{first}/{part}" for part in ["manifest.json", "params.safetensors", "optim.safetensors"]}
        needed = parts if Path(first).name.split(".tmp")[0].endswith(".wende") else {first}
        assert needed <= synced, f"renamed before fsync: {needed - synced}"
        folder = str(Path(second).parent)
        assert any(event[:2] == ["fsync", folder] for event in events[i + 1 :]), f"no fsync of {folder} after {second}"
        synced = {path for path in synced if not path.startswith(first)} | {p.replace(first, second) for p in needed}
    assert renames > 8, events


@case
def clock_jumps(world):
    """The wall clock goes a year ahead in mid-run: no watchdog, no checkpoint by time, no other numbers."""
    more = "checkpoint_interval_seconds = 3600\nwatchdog_timeout = 30\n"
    config = world.config("year", seqs=48, more=more)
    run = Run(world.wende, config, 2, fault="slow=30ms@rank0:forward",
              environment={"LD_PRELOAD": world.shim(), "SHIM_YEAR": "0.5"})
    assert run.end() == 0 and "m.mid.wende" not in run.text, run.text
    assert run.seconds < 20 * slack(), run.seconds
    world.train("two", ranks=2, seqs=48)
    assert_same_model(world.folder, "year", "two")


@case
def versions_disagree(world):
    """One host has another libhdf5: told before the first step, with both versions."""
    config = world.config("versions")
    launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "1", world.wende, str(config), ":", "-n", "1",
                "env", f"LD_PRELOAD={world.shim()}", "SHIM_HDF5=1", world.wende, str(config)]
    status, text = finish(world.wende, config, launcher=launcher)
    assert status == 76 and re.search(r"rank 1 \(.*\):.* versions ", text) and "train epoch" not in text, (status, text)


@case
def launchers(world):
    """launch/mpirun.sh binds each process to cores of its own; launch/local.sh starts one per GPU or just one."""
    cores = len(os.sched_getaffinity(0))
    config = world.config("launch")
    run = Run(world.wende, config, launcher=[ROOT / "launch/mpirun.sh", "2", str(config)],
              environment={"WENDE": world.wende, "OMP_NUM_THREADS": ""})
    assert run.end() == 0, run.text
    bound = re.findall(r"^rank \d: \S+, local rank (\d), cpu, .*cores ([-0-9,]+)", run.text, re.M)
    assert [rank for rank, _ in bound] == ["0", "1"], run.text
    assert cores < 2 or bound[0][1] != bound[1][1], run.text
    config = world.config("local")
    run = Run(world.wende, config, launcher=[ROOT / "launch/local.sh", str(config)], environment={"WENDE": world.wende})
    assert run.end() == 0 and " on 1 process\n" in run.text, run.text
    run = Run(world.wende, world.config("local3"), environment={"WENDE": world.wende, "RANKS": "3"},
              launcher=[ROOT / "launch/local.sh", str(world.folder / "local3.config")])
    assert run.end() == 0 and re.search("^rank 2: ", run.text, re.M), run.text


@case
def cores_next_to_gpus(world):
    """A pretended machine: GPU 0 is next to the last core, GPU 1 to the first; with four GPUs on two sockets of hyperthreads
    each of the two processes of a socket has half of its cores."""
    real = sorted(os.sched_getaffinity(0))
    if len(real) < 2:
        raise Skip("one core")

    def machine(name, gpus, siblings):
        root, ids = world.folder / name, [f"0000:{16 * (i + 1):x}:00.0" for i in range(len(gpus))]
        for bus, cores in zip(ids, gpus):
            (root / "bus/pci/devices" / bus).mkdir(parents=True)
            (root / "bus/pci/devices" / bus / "local_cpulist").write_text(f"{cores}\n")
        for cpu, threads in siblings.items():
            (root / f"devices/system/cpu/cpu{cpu}/topology").mkdir(parents=True)
            (root / f"devices/system/cpu/cpu{cpu}/topology/thread_siblings_list").write_text(f"{threads}\n")
        lines = [f"0000{bus.upper()}" for bus in ids]
        query = "".join(f"echo {line}\n" for line in lines)
        listing = "".join(f"echo 'GPU {i}: pretended'\n" for i in range(len(gpus)))
        (root / "nvidia-smi").write_text(f'#!/bin/sh\nif [ "$1" = -L ]; then\n{listing}else\n{query}fi\n')
        (root / "nvidia-smi").chmod(0o755)
        return {"SYS": str(root), "PATH": f"{root}:{os.environ['PATH']}", "OMP_NUM_THREADS": ""}

    crossed = machine("crossed", [real[-1], real[0]], {})
    config = world.config("near")
    run = Run(world.wende, config, launcher=[ROOT / "launch/local.sh", str(config)], environment={**crossed, "WENDE": world.wende})
    assert run.end() == 0, run.text
    bound = re.findall(r"^rank (\d): \S+, local rank \d, cpu, (\d+) threads?, cores ([-0-9,]+)", run.text, re.M)
    assert bound == [("0", "1", str(real[-1])), ("1", "1", str(real[0]))], run.text

    # What it asks for on a machine that is larger than this one: taskset and the launcher's cores are pretended too.
    sockets = machine("sockets", ["0-3,8-11", "0-3,8-11", "4-7,12-15", "4-7,12-15"], {i: f"{i % 8},{i % 8 + 8}" for i in range(16)})
    (world.folder / "sockets/taskset").write_text('#!/bin/sh\necho "$2 $OMP_NUM_THREADS"\n')
    (world.folder / "sockets/taskset").chmod(0o755)
    (world.folder / "sockets/awk").write_text("#!/bin/sh\necho 0-15\n")
    (world.folder / "sockets/awk").chmod(0o755)

    def asked(rank, ranks, **more):
        environment = {**os.environ, **sockets, **more, "OMPI_COMM_WORLD_LOCAL_RANK": str(rank), "OMPI_COMM_WORLD_LOCAL_SIZE": str(ranks)}
        return subprocess.run([ROOT / "launch/near-gpu.sh", "echo", "unbound"], env=environment, text=True, capture_output=True).stdout

    assert [asked(rank, 4) for rank in range(4)] == ["0,8,1,9 2\n", "2,10,3,11 2\n", "4,12,5,13 2\n", "6,14,7,15 2\n"]
    assert asked(1, 2, CUDA_VISIBLE_DEVICES="1,3") == "4,12,5,13,6,14,7,15 4\n"
    assert asked(0, 2, PATH=os.environ["PATH"]) == "unbound\n" or shutil.which("nvidia-smi")


@case
def several_hosts(world):
    """Two hosts (network namespaces): the same parameters as on one; a host that is cut off ends the run."""
    with Hosts(2) as hosts:
        world.train("one-host", ranks=2, seqs=24)
        config = world.config("two-hosts", seqs=24)
        run = Run(world.wende, config, launcher=hosts.mpirun(2, world.wende, config))
        assert run.end() == 0, run.text
        assert_same_model(world.folder, "two-hosts", "one-host")
        config = world.config("script-hosts", seqs=24)
        run = Run(world.wende, config, launcher=[ROOT / "launch/mpirun.sh", "2", str(config)],
                  environment={**hosts.environment(), "WENDE": world.wende})
        assert run.end() == 0, run.text
        assert_same_model(world.folder, "script-hosts", "one-host")
        limit = max(4, 1.5 * slack())
        config = world.config("cut", seqs=48, more=f"watchdog_timeout = {limit}\n")
        launcher = hosts.mpirun(2, world.wende, config, options=FAULTS)
        run = Run(world.wende, config, fault="slow=50ms@rank0:forward", launcher=launcher)
        run.wait_for("train epoch 1, step 3,")
        hosts.cut(1)
        start = time.monotonic()
        seconds = run.wait_for("rank 1 gives no sign of life") - start
        assert seconds < limit + 6 * slack(), seconds
        print(f"  cut off: noticed after {seconds:.1f} s, limit {limit:.1f} s")
        run.process.kill()  # mpirun itself waits for the lost host for minutes
        run.end()


@case
def ranks_that_share_hosts(world):
    """Four ranks on two hosts, with latency between them: sums go through shared memory first. The numbers are those of
    one host but for the order of additions; a rank that hangs while others wait in such a sum is named."""
    world.train("four-ranks", ranks=4, seqs=48)
    with Hosts(2, 200, 2) as hosts:
        config = world.config("shared-hosts", seqs=48)
        run = Run(world.wende, config, launcher=hosts.mpirun(4, world.wende, config))
        assert run.end() == 0, run.text
        assert "gradients are summed in shared memory on each of 2 hosts, between them by MPI in 2 part(s)" in run.text, run.text
        got, want = (final_model(world.folder, name)[0] for name in ["shared-hosts", "four-ranks"])
        for name, value in want.items():
            np.testing.assert_allclose(np.frombuffer(got[name], "f4"), np.frombuffer(value, "f4"), rtol=1e-3, atol=2e-5)
        limit = max(4, 1.5 * slack())
        config = world.config("hang-hosts", seqs=48, more=f"watchdog_timeout = {limit}\n")
        run = Run(world.wende, config, fault="hang@rank3:step5:backward", launcher=hosts.mpirun(4, world.wende, config, options=FAULTS))
        start = run.wait_for("fault: ")
        run.wait_for("hangs: rank 3: epoch 1 step 5")
        seconds = time.monotonic() - start
        assert seconds < limit + 6 * slack(), seconds
        assert run.end() == 81, run.text
        print(f"  hang on the other host: named after {seconds:.1f} s, limit {limit:.1f} s")


if __name__ == "__main__":
    sys.exit(main(CASES, World, "wende-sweep-", leave_out=["signals_every_ten_milliseconds"]))

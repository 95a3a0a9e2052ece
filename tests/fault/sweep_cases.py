#!/usr/bin/env python3
"""What must hold everywhere, tried everywhere: each file operation fails or is the last, signals at any moment of the
start, the order of operations on files, a clock that jumps, several hosts.

sweep_cases.py WENDE [CASE ...]
"""
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fault_runs import Run, Skip, assert_same_model, finish, main, slack, write_config
from hosts import Hosts

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CASES = {}
MORE = "checkpoint_interval_steps = 2\nwatchdog_timeout = 60\n"
# few operations in all, with a checkpoint that replaces another
SHORT = "checkpoint_interval_steps = 1\nwatchdog_timeout = 60\nnum_epochs = 1\n"
# mpirun itself looks after its hosts; without these it takes eight minutes
NOTICED = [word for name, value in [("time", 2), ("intvl", 1), ("probes", 2)]
           for word in ["--mca", f"oob_tcp_keepalive_{name}", str(value)]]
FAULTS = ["-x", "WENDE_FAULT", "-x", "WENDE_ALLOW_FAULTS"]


def case(function):
    CASES[function.__name__] = function
    return function


class World:
    def __init__(self, wende, folder):
        self.wende, self.folder, self.shim_path = wende, folder, None

    def config(self, name, seqs=8, more=MORE):
        return write_config(self.folder, name, seqs=seqs, more=more)

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


def sweep(world, kind, place):
    """The fault at the n-th operation of that kind for all n: what is there is whole, and the same command goes on."""
    for n in range(1, 1000):
        name = f"{kind}-{place}-{n}"
        config = world.config(name, seqs=6, more=SHORT)
        status, text = finish(world.wende, config, 1, fault=f"{kind}@rank0:{place}#{n}")
        if "fault: " not in text:
            assert status == 0 and n > 5, (n, status, text)
            return n - 1
        if kind == "kill":
            assert status == -9, (n, status, text)
        elif status != 0:  # 0: of a file that the run can do without
            assert status in (73, 74) and str(world.folder / name) in text, (n, status, text)
        for path in (world.folder / name).glob("m.*.wende"):
            inspect = subprocess.run([world.wende, "inspect", path], capture_output=True, text=True)
            assert inspect.returncode == 0, f"{place} {n}: {inspect.stderr}"
        rates = world.folder / name / "m.lr"
        assert not rates.exists() or rates.read_text().rstrip().endswith("}"), rates.read_text()
        status, text = finish(world.wende, config, 1)
        assert status == 0, f"{place} {n}: {text}"
        assert_same_model(world.folder, name, "reference-short", epoch=1)
        leftovers = [p.name for p in (world.folder / name).iterdir() if ".tmp." in p.name or ".old." in p.name]
        assert not leftovers, leftovers
    raise AssertionError("it never ended")


@case
def every_file_operation_fails(world):
    world.train("reference-short", seqs=6, more=SHORT)
    for kind, place in [("enospc", "io-write"), ("eio", "io-fsync"), ("eio", "io-rename")]:
        print(f"  {place}: {sweep(world, kind, place)} times", flush=True)


@case
def every_file_operation_is_the_last(world):
    world.train("reference-short", seqs=6, more=SHORT)
    for place in ["io-write", "io-fsync", "io-rename"]:
        print(f"  killed at {place}: {sweep(world, 'kill', place)} times", flush=True)


@case
def signals_at_the_start(world):
    """USR1 at any time of the first moments: a checkpoint and 75, or (before main has begun) nothing has happened."""
    world.train("reference48", seqs=48)
    early = stopped = 0
    for i in range(24):
        name = f"start-{i}"
        config = world.config(name, seqs=48)
        run = Run(world.wende, config, 1, fault="slow=5ms@rank0:forward")
        time.sleep(0.008 * i)
        run.process.send_signal(signal.SIGUSR1)
        status = run.end()
        if status == -signal.SIGUSR1:
            assert run.text == "", run.text
            early += 1
        else:
            assert status == 75 and "the same command goes on" in run.text, (status, run.text)
            stopped += 1
            status, text = finish(world.wende, config, 1)
            assert status == 0, text
            assert_same_model(world.folder, name, "reference48")
    assert stopped >= 12, f"{early} before main"
    print(f"  {stopped} stopped with a checkpoint, {early} before main had begun")


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
    assert run.end() == 0 and " of 1 rank(s)" in run.text, run.text
    run = Run(world.wende, world.config("local3"), environment={"WENDE": world.wende, "RANKS": "3"},
              launcher=[ROOT / "launch/local.sh", str(world.folder / "local3.config")])
    assert run.end() == 0 and re.search("^rank 2: ", run.text, re.M), run.text


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
        run = Run(world.wende, config, launcher=hosts.mpirun(2, world.wende, config, options=[*NOTICED, *FAULTS]), fault="slow=50ms@rank0:forward")
        run.wait_for("train epoch 1, step 3,")
        hosts.cut(1)
        start = time.monotonic()
        status = run.end()
        seconds = time.monotonic() - start
        assert status != 0 and "rank 1 gives no sign of life" in run.text, (status, run.text)
        assert seconds < limit + 6 * slack(), seconds
        print(f"  cut off: ended after {seconds:.1f} s, limit {limit:.1f} s, status {status}")


if __name__ == "__main__":
    sys.exit(main(CASES, World, "wende-sweep-"))

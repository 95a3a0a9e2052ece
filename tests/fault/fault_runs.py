"""Runs of the program that something happens to: configs, starting, waiting, reading what is left."""
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIG = """
task = "train"
train = {{"class": "Task12AXDataset", "num_seqs": {seqs}, "seq_ordering": "random"}}
dev = {{"class": "Task12AXDataset", "num_seqs": 12, "fixed_random_seed": 1}}
num_inputs = 9
num_outputs = 2
network = {{
    "lstm": {{"class": "rec", "unit": "lstm", "n_out": 10, "dropout": 0.1, "from": "data"}},
    "output": {{"class": "softmax", "loss": "ce", "from": "lstm", "target": "classes"}},
}}
batch_size = 100000
max_seqs = {max_seqs}
adam = True
learning_rate = 0.01
learning_rate_control = "newbob"
learning_rate_file = "{model}.lr"
num_epochs = 2
log_verbosity = 5
model = "{model}"
{more}
"""
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}


def slack():
    """How much slower than alone this machine is at the moment: limits in seconds are stretched by it. The average of a
    minute lags behind; what runs just now may be over soon."""
    running = int(Path("/proc/loadavg").read_text().split()[3].split("/")[0])
    return max(1.0, os.getloadavg()[0] / os.cpu_count(), running / os.cpu_count())


class Run:
    """One run in the background; fault: text for WENDE_FAULT."""

    def __init__(self, wende, config, ranks=2, fault="", environment=None, launcher=None, arguments=(), **popen):
        env = {**os.environ, **ENVIRONMENT}
        env.pop("WENDE_FAULT", None)
        env.update(environment or {})
        if fault:
            env.update(WENDE_FAULT=fault, WENDE_ALLOW_FAULTS="1")
        command = [str(wende), str(config), *arguments]
        if launcher is not None:
            command = launcher
        elif ranks > 1:
            command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] + command
        self.out_path = Path(str(config) + f".{time.monotonic_ns()}.out")
        self.start = time.monotonic()
        with open(self.out_path, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=env, **popen)

    @property
    def text(self):
        return self.out_path.read_text(errors="replace")

    def wait_for(self, text, limit=60):
        end = time.monotonic() + limit * slack()
        while text not in self.text:
            assert time.monotonic() < end and self.process.poll() is None, f"no '{text}' in:\n{self.text}"
            time.sleep(0.01)
        return time.monotonic()

    def end(self, limit=60):
        try:
            status = self.process.wait(limit * slack())
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            raise AssertionError(f"still running after {limit} s:\n{self.text}") from None
        self.seconds = time.monotonic() - self.start
        return status

    def children(self):
        """Process ids of the ranks."""
        pids = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            pids += [int(pid) for pid in (task / "children").read_text().split()]
        return pids


def finish(*args, **kwargs):
    """A run to its end: status, output."""
    run = Run(*args, **kwargs)
    return run.end(), run.text


def write_config(folder, name, seqs=48, max_seqs=2, more="", text=CONFIG):
    path = folder / f"{name}.config"
    path.write_text(text.format(model=folder / name / "m", seqs=seqs, max_seqs=max_seqs, more=more))
    return path


def read_safetensors(path):
    data = Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    return {name: data[8 + size + e["data_offsets"][0] : 8 + size + e["data_offsets"][1]] for name, e in header.items()}


def final_model(folder, name, epoch=2):
    """Parameters and optimiser state as bytes, and the scores in the learning-rate file without times."""
    base = folder / name / f"m.{epoch:03}.wende"
    scores = [line for line in (folder / name / "m.lr").read_text().splitlines() if "secs" not in line]
    return read_safetensors(base / "params.safetensors"), read_safetensors(base / "optim.safetensors"), scores


def assert_same_model(folder, name, reference, epoch=2):
    got, want = final_model(folder, name, epoch), final_model(folder, reference, epoch)
    assert got[0] == want[0], "parameters differ from the uninterrupted run"
    assert got[1] == want[1], "optimiser state differs from the uninterrupted run"
    assert got[2] == want[2], "\n".join(["scores differ:", *got[2], "--", *want[2]])


class Skip(Exception):
    """What a case needs is not there."""


def run_cases(cases, names, world, folder):
    """Each case by its name with `world`; status for the shell. KEEP=FOLDER keeps what the runs left after a failure."""
    failed = []
    for name in names:
        start = time.monotonic()
        try:
            cases[name](world)
            word = "ok"
        except Skip as skip:
            word = f"skipped: {skip}"
        except Exception as error:
            word = f"FAILED\n{type(error).__name__}: {error}"
            failed.append(name)
        print(f"{name}: {word} ({time.monotonic() - start:.1f} s)", flush=True)
    if failed and os.environ.get("KEEP"):
        shutil.copytree(folder, os.environ["KEEP"], dirs_exist_ok=True)
    print(f"{len(names) - len(failed)} of {len(names)} cases")
    return 1 if failed else 0


def main(cases, make_world, prefix, leave_out=()):
    """PROGRAM WENDE [CASE ...]: without names all but those of leave_out."""
    names = sys.argv[2:] or [name for name in cases if name not in leave_out]
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        os.chmod(folder, 0o755)
        return run_cases(cases, names, make_world(os.path.abspath(sys.argv[1]), Path(folder)), folder)

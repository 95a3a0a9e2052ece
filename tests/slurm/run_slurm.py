#!/usr/bin/env python3
"""The batch templates and `wende slurm` under a real Slurm of one node.

run_slurm.py WENDE [CASE ...]
"""
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "fault"))
from fault_runs import ENVIRONMENT, assert_same_model, finish, run_cases, slack, write_config

PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun"]
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


class Cluster:
    def __init__(self, wende, folder):
        self.folder = folder
        self.environment = dict(os.environ, **ENVIRONMENT, D=str(folder / "slurm"), WENDE=wende,
                                PORT=str(17000 + os.getpid() % 7000 * 2),  # another test may run beside this one
                                SLURM_CONF=str(folder / "slurm" / "slurm.conf"), PATH=os.environ["PATH"] + ":/usr/sbin")
        self.wende = wende

    def command(self, *words, check=True, **environment):
        run = subprocess.run([str(word) for word in words], env=dict(self.environment, **environment), text=True,
                             cwd=self.folder, capture_output=True, timeout=300)
        assert not check or run.returncode == 0, f"{words}: {run.returncode}\n{run.stdout}{run.stderr}"
        return run.stdout.strip()

    def submit(self, script, *words, options=(), **environment):
        """--signal's seconds are left out where a test sends the signal itself."""
        return self.command("sbatch", "--parsable", *options, script, *words, **environment)

    def wait(self, pattern, log, limit=90):
        end = time.monotonic() + limit * slack()
        text = ""
        while time.monotonic() < end:
            text = log.read_text(errors="replace") if log.exists() else ""
            if re.search(pattern, text, re.M):
                return text
            time.sleep(0.1)
        raise AssertionError(f"no '{pattern}' in {log}:\n{text}\n{self.command('squeue')}")

    def references(self, name, ranks):
        config = write_config(self.folder, name)
        self.command("mpirun", "--oversubscribe", "--bind-to", "none", "-n", ranks, self.wende, config)

    def requeue_and_resume(self, script, name, options=(), **environment):
        """USR1 to the batch shell in mid-epoch: checkpoint, 75, requeue, and the undisturbed run's model."""
        config = write_config(self.folder, name)
        log = self.folder / f"{name}.log"
        job = self.submit(script, config, options=["--time=5", f"--output={log}", "--open-mode=append", *options],
                          WENDE_ALLOW_FAULTS="1", WENDE_FAULT="slow=40ms@rank0:forward", **environment)
        self.wait("train epoch 1, step 3,", log)
        self.command("scancel", "--batch", "--signal=USR1", job)
        text = self.wait("Finished training", log, limit=180)
        assert "status 75, restart 0" in text and "Going on in epoch 1 after step" in text, text
        self.wait("status 0, restart 1", log)
        assert_same_model(self.folder, name, "reference2")
        return text


@case
def one_node_by_srun(cluster):
    text = cluster.requeue_and_resume(ROOT / "slurm/one-node.sbatch", "srun2")
    assert re.search(r"^rank 1: \S+, local rank 1,", text, re.M), text


@case
def several_nodes_by_mpirun(cluster):
    """The template for several nodes, on the one that there is; the number of processes comes from the allocation."""
    options = ["--nodes=1", "--ntasks-per-node=2", "--gres=gpu:2"]
    text = cluster.requeue_and_resume(ROOT / "slurm/several-nodes.sbatch", "mpirun2", options)
    assert re.search(r"^rank 1: ", text, re.M) and not re.search(r"^rank 2: ", text, re.M), text


@case
def requeue_template(cluster):
    cluster.requeue_and_resume(ROOT / "slurm/requeue.sbatch", "requeue")


@case
def printed_batch_file(cluster):
    """What `wende slurm` prints, for both launchers, stopped and going on."""
    for launcher in ["srun", "mpirun"]:
        name = f"printed-{launcher}"
        config = write_config(cluster.folder, name)
        text = cluster.command(cluster.wende, "slurm", config, "--gpus", "2", "--time", "24:00", "--program", cluster.wende,
                               "--launcher", launcher)
        for line in ["--ntasks=2", "--nodes=1", "--gres=gpu:2", "--time=24:00:00", "--requeue", "--signal=B:USR1@120"]:
            assert f"#SBATCH {line}\n" in text, text
        script = cluster.folder / f"{name}.sbatch"
        script.write_text(text)
        text = cluster.requeue_and_resume(script, name)
        assert re.search("^rank 1: ", text, re.M) and not re.search("^rank 2: ", text, re.M), text


@case
def job_array(cluster):
    configs = [write_config(cluster.folder, f"array{i}") for i in range(3)]
    names = cluster.folder / "configs.txt"
    names.write_text("".join(f"{config}\n" for config in configs))
    cluster.submit(ROOT / "slurm/array.sbatch", names,
                   options=["--array=1-3%2", "--time=5", f"--output={cluster.folder}/array.%a.log"])
    for i in range(3):
        cluster.wait("Finished training", cluster.folder / f"array.{i + 1}.log")


@case
def real_time_limit(cluster):
    """Slurm's own signal before the limit: not sent by this test. Slurm may be a minute early."""
    config = write_config(cluster.folder, "limit", seqs=1200)
    log = cluster.folder / "limit.log"
    job = cluster.submit(ROOT / "slurm/one-node.sbatch", config, WENDE_ALLOW_FAULTS="1",
                         WENDE_FAULT="slow=100ms@rank0:forward",
                         options=["--time=2", "--signal=B:USR1@60", f"--output={log}"])
    text = cluster.wait("status 75, restart 0", log, limit=180)
    assert "the same command goes on" in text, text
    cluster.wait(r"Going on (in|after) epoch", log, limit=120)
    cluster.command("scancel", job)


def cancel(cluster, script, name, options=()):
    """scancel: a checkpoint is there when the job is gone, and the job does not queue itself again."""
    config = write_config(cluster.folder, name)
    log = cluster.folder / f"{name}.log"
    job = cluster.submit(script, config, WENDE_ALLOW_FAULTS="1", WENDE_FAULT="slow=100ms@rank0:forward",
                         options=["--time=5", f"--output={log}", *options])
    cluster.wait("train epoch 1, step 1,", log)
    cluster.command("scancel", job)
    end = time.monotonic() + 60 * slack()
    while cluster.command("squeue", "-h", "-j", job, "-t", "RUNNING,COMPLETING,PENDING", check=False):
        assert time.monotonic() < end, log.read_text() + cluster.command("scontrol", "show", "job", job)
        time.sleep(0.2)
    state = cluster.command("scontrol", "show", "job", job)
    assert "JobState=CANCELLED" in state and "Restarts=0" in state, state
    assert (cluster.folder / name / "m.mid.wende" / "manifest.json").exists(), log.read_text()
    status, text = finish(cluster.wende, config, 2)
    assert status == 0 and "Going on in epoch 1 after step" in text, text
    assert_same_model(cluster.folder, name, "reference2")


@case
def cancelled(cluster):
    cancel(cluster, ROOT / "slurm/one-node.sbatch", "cancelled")
    cancel(cluster, ROOT / "slurm/several-nodes.sbatch", "cancelled-mpirun",
           ["--nodes=1", "--ntasks-per-node=2", "--gres=gpu:2"])


@case
def no_progress(cluster):
    """A program that always stops at the same step: three restarts, then the job fails (the log's name is Slurm's)."""
    program = cluster.folder / "stuck"
    program.write_text("#!/bin/sh\n[ $SLURM_PROCID = 0 ] && echo Going on in epoch 1 after step 7\nexit 75\n")
    program.chmod(0o755)
    log = cluster.folder / "stuck.log"
    job = cluster.submit(ROOT / "slurm/requeue.sbatch", "my.config", WENDE=program,
                         options=["--time=5", f"--output={log}"])
    text = cluster.wait("no progress in three restarts: Going on in epoch 1 after step 7", log, limit=180)
    assert re.findall(r"^start (\d)", text, re.M) == ["0", "1", "2", "3", "4"], text
    end = time.monotonic() + 30 * slack()
    while "JobState=FAILED" not in cluster.command("scontrol", "show", "job", job) and time.monotonic() < end:
        time.sleep(0.2)
    state = cluster.command("scontrol", "show", "job", job)
    assert "JobState=FAILED" in state and "ExitCode=1:0" in state, state


@case
def singletons_are_noticed(cluster):
    config = write_config(cluster.folder, "alone")
    run = subprocess.run(["srun", "--mpi=none", "-n", "2", cluster.wende, config], env=cluster.environment, text=True,
                         capture_output=True, timeout=120)
    assert run.returncode != 0 and "srun --mpi=pmix" in run.stderr, run


def main():
    wende, names = os.path.abspath(sys.argv[1]), sys.argv[2:] or list(CASES)
    os.environ["PATH"] += ":/usr/sbin"
    if os.environ.get("WENDE_INSTALL_SLURM") == "1" and not all(map(shutil.which, PROGRAMS)):
        subprocess.run([HERE / "one_node.sh", "install"], check=False)
    if os.getuid() != 0 or not all(map(shutil.which, PROGRAMS)):
        print("SKIPPED: Slurm is not installed (tests/slurm/one_node.sh install), or this is not root")
        return 77
    with tempfile.TemporaryDirectory(prefix="wende-slurm-") as folder:
        os.chmod(folder, 0o755)
        try:
            os.mknod(f"{folder}/device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            print("SKIPPED: no character devices can be made here, which the pretended GPUs are")
            return 77
        cluster = Cluster(wende, Path(folder))
        cluster.command(HERE / "one_node.sh", "up")
        try:
            cluster.references("reference2", 2)
            return run_cases(CASES, names, cluster, folder)
        finally:
            cluster.command(HERE / "one_node.sh", "down", check=False)


if __name__ == "__main__":
    sys.exit(main())

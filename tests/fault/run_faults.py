#!/usr/bin/env python3
"""What happens to a run, and what the program owes then. Kills in every phase, hangs, full disks, damaged files.

run_faults.py WENDE [CASE ...]      without names: all
"""
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fault_runs import Run, Skip, assert_same_model, finish, main, slack, write_config

CASES = {}
INTERVAL = "checkpoint_interval_steps = 4\nwatchdog_timeout = 30\n"


def case(function):
    CASES[function.__name__] = function
    return function


class World:
    """The program, a folder, and models of runs that nothing happened to."""

    def __init__(self, wende, folder):
        self.wende, self.folder = wende, folder
        self.references = {}

    def reference(self, ranks):
        if ranks not in self.references:
            name = f"reference{ranks}"
            status, text = finish(self.wende, write_config(self.folder, name, more=INTERVAL), ranks)
            assert status == 0, text
            self.references[ranks] = name
        return self.references[ranks]

    def interrupt_and_resume(self, fault, statuses, ranks=2, more=INTERVAL):
        """The run ends by the fault; the same command then gives the model of the undisturbed run."""
        name = re.sub("[^a-z0-9]+", "-", fault)
        config = write_config(self.folder, name, more=more)
        status, text = finish(self.wende, config, ranks, fault=fault)
        assert "fault: " in text, f"{fault} did not strike:\n{text}"
        assert status in statuses, f"{fault}: status {status}\n{text}"
        status, text = finish(self.wende, config, ranks)
        assert status == 0, f"resume after {fault}: status {status}\n{text}"
        assert_same_model(self.folder, name, self.reference(ranks))
        leftovers = [p.name for p in (self.folder / name).iterdir() if ".tmp." in p.name or ".old." in p.name]
        assert not leftovers, leftovers
        return text


@case
def kill_in_every_phase(world):
    for phase in ["input", "forward", "backward", "allreduce", "optimizer", "step-end"]:
        world.interrupt_and_resume(f"kill@rank1:step6:{phase}", [137])
    world.interrupt_and_resume("kill@rank0:step17:forward", [137])
    world.interrupt_and_resume("kill@rank1:dataset#2", [137])


@case
def kill_in_every_stage_of_a_checkpoint(world):
    for place in ["ck-open#2", "ck-write#3", "ck-write#4", "ck-fsync#2", "ck-rename#2", "ck-rename#3"]:
        world.interrupt_and_resume(f"kill@rank0:{place}", [-9], ranks=1)


@case
def kill_in_file_operations(world):
    for place in ["io-write#7", "io-fsync#9", "io-fsync#10", "io-rename#8", "io-rename#12"]:
        world.interrupt_and_resume(f"kill@rank0:{place}", [-9], ranks=1)


@case
def other_ends(world):
    """Every way to die ends the others soon, with the status of the cause, and its cause is told first."""
    for fault, status, says in [("kill", 137, "fault: kill"), ("segv", 139, "fault: segv"), ("exit", 3, "fault: exit"),
                                ("throw", 70, "fault on purpose at forward")]:
        config = write_config(world.folder, f"other-{fault}", more=INTERVAL)
        run = Run(world.wende, config, 3, fault=f"{fault}@rank1:step6:forward")
        struck = run.wait_for("fault: ")
        assert run.end() == status, (fault, run.process.returncode, run.text)
        seconds = time.monotonic() - struck
        assert seconds < 5 * slack(), f"{fault}: the others went after {seconds:.1f} s"
        before = run.text.split("start epoch")[1].split("fault: ")[0]
        assert says in run.text and not re.search("^(rank|watchdog|mpirun)", before, re.M), run.text
        status, text = finish(world.wende, config, 3)
        assert status == 0 and "Going on" in text, text
        assert_same_model(world.folder, config.stem, world.reference(3))
        print(f"  {fault}: all gone after {seconds:.1f} s, status {run.process.returncode}")


@case
def hang_and_stop(world):
    for fault, rank, words in [("hang", 1, "rank 1: epoch 1 step 6"), ("stop", 1, "rank 1 gives no sign of life"),
                               ("hang", 0, "rank 0: epoch 1 step 6"), ("stop", 0, "rank 0 gives no sign of life")]:
        name = f"watch-{fault}{rank}"
        limit = max(3, 1.5 * slack())
        config = write_config(world.folder, name, more=f"watchdog_timeout = {limit}\n")
        run = Run(world.wende, config, 3, fault=f"{fault}@rank{rank}:step6:forward")
        struck = run.wait_for("fault: ")
        named = run.wait_for("watchdog: no progress") - struck
        status = run.end()
        seconds = time.monotonic() - struck
        text = run.text
        assert status == 81, (status, text)
        assert words in text, text
        assert named < limit + slack(), f"named after {named:.1f} s"
        assert seconds < limit + 3 * slack(), f"{seconds:.1f} s"  # mpirun takes one or two to clean up
        stack = world.folder / name / "m.hang" / f"rank00{2 if fault == 'stop' else rank}.txt"
        if not (fault == "stop" and rank == 0):
            assert "wende" in stack.read_text(), stack.read_text()
        if fault == "hang" and rank == 1:
            assert "reach" in stack.read_text() or "fault" in stack.read_text(), stack.read_text()
        print(f"  {fault} of rank {rank}: named {named:.1f} s after it, ended after {seconds:.1f} s; limit {limit:.1f} s")


@case
def hang_names_layer_and_operation(world):
    config = write_config(world.folder, "watch-backward", more="watchdog_timeout = 4\n")
    status, text = finish(world.wende, config, 1, fault="hang@rank0:step3:backward")
    assert status == 81 and re.search(r"rank 0: epoch 1 step 3, compute in layer '\w+', operation '\w+'", text), text


@case
def slow_rank_is_named(world):
    config = write_config(world.folder, "slow", more="rank_check_interval = 5\n")
    status, text = finish(world.wende, config, 3, fault="slow=60ms@rank1:forward")
    assert status == 0 and re.search("warning: rank 1 is slow", text), text
    assert "waited for other ranks:" in text, text


@case
def ranks_disagree(world):
    one = write_config(world.folder, "disagree")
    other = world.folder / "disagree-other.config"
    other.write_text(one.read_text().replace("learning_rate = 0.01", "learning_rate = 0.02"))
    launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "1", world.wende, str(one), ":", "-n", "1",
                world.wende, str(other)]
    status, text = finish(world.wende, one, launcher=launcher)
    assert status == 76 and re.search(r"rank 1 \(.*\): config .*options", text), text
    # The same text, but something in it depends on the rank: told by its name, whatever it is.
    for what, old, new in [("options", "learning_rate = 0.01", "learning_rate = 0.01 * (rank + 1)"),
                           ("random_seed", "adam = True", "adam = True\nrandom_seed = 1 + rank"),
                           ("dataset", '"num_seqs": 48', '"num_seqs": 48 + rank'),
                           ("parameters", '"n_out": 10', '"n_out": 10 + rank')]:
        config = write_config(world.folder, f"disagree-{what}")
        text = "import os\nrank = int(os.environ['OMPI_COMM_WORLD_RANK'])\n" + config.read_text()
        assert old in text
        config.write_text(text.replace(old, new, 1))
        status, text = finish(world.wende, config, 2)
        assert status == 76 and re.search(rf"rank 1 \(.*\):.* {what} ", text), (what, status, text)
    config = write_config(world.folder, "bitflip", more="rank_check_interval = 4\n")
    status, text = finish(world.wende, config, 2, fault="bitflip@rank1:step5:optimizer")
    assert status == 76 and "after step 8 the parameters are not the same" in text and "rank 1" in text, text


@case
def signals(world):
    """USR1 and TERM: checkpoint, 75, the same model in the end. USR2: stacks, and on it goes."""
    slow = "slow=30ms@rank0:forward"
    for name, send in [("usr1", lambda run: run.process.send_signal(signal.SIGUSR1)),
                       ("term-rank", lambda run: os.kill(run.children()[1], signal.SIGTERM))]:
        config = write_config(world.folder, name, more=INTERVAL)
        run = Run(world.wende, config, 2, fault=slow)
        run.wait_for("train epoch 1, step 3,")
        send(run)
        assert run.end() == 75 and "the same command goes on" in run.text, run.text
        status, text = finish(world.wende, config, 2)
        assert status == 0 and "Going on in epoch 1 after step" in text, text
        assert_same_model(world.folder, name, world.reference(2))
    config = write_config(world.folder, "usr2", more=INTERVAL)
    run = Run(world.wende, config, 2, fault=slow)
    run.wait_for("train epoch 1, step 3,")
    run.process.send_signal(signal.SIGUSR2)
    assert run.end() == 0, run.text
    assert len(re.findall(r"rank \d: epoch 1 step \d+, \w+", run.text)) >= 2 and "wende(" in run.text, run.text
    assert_same_model(world.folder, "usr2", world.reference(2))


@case
def usr1_at_random_steps(world):
    """Twenty times in all, at random steps and places, often again in the same training: always the same model in the end."""
    dice, struck, trainings = random.Random(7), 0, 0
    while struck < 20:
        trainings += 1
        name, step, ranks = f"usr1-{trainings}", 0, 1 + trainings % 2
        config = write_config(world.folder, name, more=INTERVAL)
        while True:
            step += dice.randint(1, 16)
            place = dice.choice(["input", "forward", "backward", "allreduce", "optimizer", "step-end"])
            fault = f"usr1@rank{dice.randrange(ranks)}:step{step}:{place}"
            status, text = finish(world.wende, config, ranks, fault=fault)
            if status == 0:
                break
            assert status == 75 and "the same command goes on" in text, (fault, status, text)
            struck += 1
        assert_same_model(world.folder, name, world.reference(ranks))
    print(f"  {struck} signals in {trainings} trainings")


@case
def signals_in_evaluations(world):
    """In the evaluation after the last epoch, and again in the one that makes up for it: the scores are all there in the end."""
    config = write_config(world.folder, "evaluation", more=INTERVAL)
    for fault, says in [("usr1@rank0:step47:input#2", "after epoch 2"), ("usr1@rank0:input", "during an evaluation")]:
        status, text = finish(world.wende, config, 1, fault=fault)
        assert status == 75 and f"Stopped by a signal {says}" in text, (status, text)
    status, text = finish(world.wende, config, 1)
    assert status == 0 and "evaluating again" in text, text
    assert_same_model(world.folder, "evaluation", world.reference(1))


@case
def term_of_mpirun(world):
    """mpirun passes it on after a second and kills after another: the ranks have written their checkpoint by then."""
    config = write_config(world.folder, "term-mpirun")
    run = Run(world.wende, config, 2, fault="slow=200ms@rank0:forward")
    run.wait_for("train epoch 1, step 1,")
    run.process.send_signal(signal.SIGTERM)
    run.end()
    assert "Stopped by a signal in epoch 1" in run.text, run.text
    assert (world.folder / "term-mpirun" / "m.mid.wende" / "manifest.json").exists(), run.text
    status, text = finish(world.wende, config, 2)
    assert status == 0 and "Going on in epoch 1 after step" in text, text
    assert_same_model(world.folder, "term-mpirun", world.reference(2))


@case
def disk_full(world):
    """A file operation fails: 74 with the file's name, the old checkpoint stays whole, and the run goes on later."""
    for fault in ["enospc@rank0:io-write#8", "eio@rank0:io-fsync#14", "enospc@rank0:io-rename#9"]:
        name = "full-" + re.sub("[^a-z0-9]+", "-", fault)
        config = write_config(world.folder, name, more=INTERVAL)
        status, text = finish(world.wende, config, 1, fault=fault)
        if status == 0:  # it struck a file that the run can do without
            assert_same_model(world.folder, name, world.reference(1))
            continue
        assert status == 74 and str(world.folder / name) in text, (fault, status, text)
        status, text = finish(world.wende, config, 1)
        assert status == 0, text
        assert_same_model(world.folder, name, world.reference(1))


@case
def file_size_limit(world):
    """The kernel's own refusal (as a quota has it), in the middle of a write."""
    config = write_config(world.folder, "fsize", more=INTERVAL)
    text = config.read_text().replace('"n_out": 10', '"n_out": 40')
    config.write_text(text)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
    run = Run(world.wende, config, 1, preexec_fn=limit)
    assert run.end() == 74 and "File too large" in run.text, (run.process.returncode, run.text)
    names = [p.name for p in (world.folder / "fsize").iterdir()]
    assert not [n for n in names if n.endswith(".wende") or ".tmp." in n], names
    status, text = finish(world.wende, config, 1)
    assert status == 0, text


@case
def full_and_read_only_file_systems(world):
    mount = world.folder / "mounted"
    (mount).mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mount], capture_output=True).returncode != 0:
        raise Skip("no file system can be mounted here")
    try:
        config = write_config(mount, "m", more=INTERVAL)
        moved = world.folder / "mounted.config"
        moved.write_text(config.read_text().replace('"n_out": 10', '"n_out": 60'))
        status, text = finish(world.wende, moved, 1)
        assert status == 74 and "No space left on device" in text, (status, text)
        for path in mount.glob("m/*.wende"):
            assert subprocess.run([world.wende, "inspect", path], capture_output=True).returncode == 0, path
        subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
        status, text = finish(world.wende, moved, 1)
        assert status == 74 and "Read-only file system" in text, (status, text)
    finally:
        subprocess.run(["umount", mount], check=True)


@case
def read_only_in_mid_run(world):
    """The folder becomes read-only under a run, which ends with 74; the old checkpoint is whole, and all goes on later."""
    config = write_config(world.folder, "turned", more=INTERVAL)
    run = Run(world.wende, config, 1, fault="slow=100ms@rank0:forward")
    run.wait_for("train epoch 1, step 9,")
    folder = world.folder / "turned"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=64k", "none", folder], capture_output=True).returncode != 0:
        run.end()
        raise Skip("no file system can be mounted here")
    try:
        assert run.end() == 74 and "Read-only file system" in run.text and str(folder) in run.text, (run.process.returncode, run.text)
    finally:
        subprocess.run(["umount", folder], check=True)
    status, text = finish(world.wende, config, 1)
    assert status == 0 and "Going on in epoch 1 after step" in text, text
    assert_same_model(world.folder, "turned", world.reference(1))


@case
def damaged_checkpoint(world):
    """Named and skipped; the newest good one is taken."""
    name = "damaged"
    config = write_config(world.folder, name, more=INTERVAL)
    status, text = finish(world.wende, config, 1, fault="usr1@rank0:step40:forward")
    assert status == 75, text
    target = world.folder / name / "m.mid.wende" / "params.safetensors"
    data = bytearray(target.read_bytes())
    data[-3] ^= 1
    target.write_bytes(data)
    status, text = finish(world.wende, config, 1)
    assert status == 0 and f"'{target}' is damaged" in text, text
    assert re.search(r"Going on from \S*m.001.wende", text), text
    assert_same_model(world.folder, name, world.reference(1))
    for path in (world.folder / name).glob("m.*.wende"):
        (path / "optim.safetensors").write_bytes(b"")
    status, text = finish(world.wende, config, 1)
    assert status == 65 and "is damaged" in text, (status, text)


@case
def checkpoints_by_time(world):
    """In the background every so many seconds; a run that is killed then goes on from the last one."""
    more = "checkpoint_interval_seconds = 0.2\nwatchdog_timeout = 60\n"
    config = write_config(world.folder, "by-time", more=more)
    run = Run(world.wende, config, 1, fault="slow=50ms@rank0:forward")
    run.wait_for("train epoch 1, step 12,")
    assert run.text.count("m.mid.wende") >= 2, run.text
    run.process.kill()
    run.end()
    status, text = finish(world.wende, config, 1)
    assert status == 0 and "Going on in epoch 1 after step" in text, text
    assert_same_model(world.folder, "by-time", world.reference(1))


@case
def one_writer(world):
    config = write_config(world.folder, "lock", more=INTERVAL)
    first = Run(world.wende, config, 1, fault="slow=150ms@rank0:forward")
    first.wait_for("train epoch 1, step 1,")
    status, text = finish(world.wende, config, 1)
    assert status == 73 and re.search(r"another run writes this model: host \S+, process \d+", text), text
    status = subprocess.run([world.wende, "status", world.folder / "lock"], capture_output=True, text=True)
    assert status.returncode == 0 and "running" in status.stdout, status
    assert re.search(r"epoch [12] of 2, step \d+ of 24, 1 rank", status.stdout), status
    assert first.end() == 0, first.text
    assert_same_model(world.folder, "lock", world.reference(1))
    status = subprocess.run([world.wende, "status", world.folder / "lock" / "m"], capture_output=True, text=True)
    assert "finished" in status.stdout, status.stdout


@case
def one_writer_where_files_cannot_be_locked(world):
    """A sign of life in a file takes the lock's place: the second run is refused; that of a killed run is in nobody's way."""
    name, beat = "beat", world.folder / "beat" / "m.lock.beat"
    config = write_config(world.folder, name, more=INTERVAL)
    first = Run(world.wende, config, 1, fault="slow=300ms@rank0:forward,eio@rank0:lock")
    first.wait_for("train epoch 1, step 5,")
    assert "signs of life in" in first.text and beat.exists(), first.text
    status, text = finish(world.wende, config, 1, fault="eio@rank0:lock")
    assert status == 73 and re.search(r"another run writes this model: host \S+, process \d+", text), text
    described = subprocess.run([world.wende, "status", world.folder / name], capture_output=True, text=True).stdout
    assert "running" in described, described
    first.process.kill()
    first.end()
    assert beat.exists()
    status, text = finish(world.wende, config, 1, fault="eio@rank0:lock")
    assert status == 0 and "its run is gone" in text and "Going on " in text, (status, text)
    assert not beat.exists()
    assert_same_model(world.folder, name, world.reference(1))


@case
def out_of_memory(world):
    config = write_config(world.folder, "memory")
    config.write_text(config.read_text().replace('"n_out": 10', '"n_out": 12000'))
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    run = Run(world.wende, config, 1, preexec_fn=limit)
    assert run.end() == 82 and re.search(r"cannot allocate \d+\.\d MiB on cpu", run.text), (run.process.returncode, run.text)
    # One step that is too large: its largest values with their layers, and the lengths of the batch.
    config = write_config(world.folder, "memory-step", max_seqs=40)
    wide = '"wide": {"class": "linear", "activation": "relu", "n_out": 200000, "from": "lstm"},'
    text = config.read_text().replace('"output": {', wide + '"output": {').replace('"from": "lstm", "target"', '"from": "wide", "target"')
    config.write_text(text)
    run = Run(world.wende, config, 1, preexec_fn=limit)
    assert run.end() == 82, (run.process.returncode, run.text)
    assert re.search(r"MB at .*, wide/\w+ \[\d+,40,200000\]", run.text), run.text
    assert re.search(r"'data' of the batch: 40 sequences of lengths \d+ \d+", run.text), run.text
    # A device that is full: the same end (a build with CUDA limits its GPU's memory by this).
    config = write_config(world.folder, "memory-device", max_seqs=40)
    config.write_text(text.replace(str(world.folder / "memory-step"), str(world.folder / "memory-device")).replace("200000", "20000"))
    status, said = finish(world.wende, config, 2, environment={"WENDE_DEVICE_MEM": "64M"})
    assert status == 82 and "WENDE_DEVICE_MEM allows 64.0" in said, (status, said)
    assert re.search(r"MB at .*, wide/\w+ \[\d+,\d+,20000\]", said) and "of the batch: " in said, said


@case
def faults_need_permission(world):
    config = write_config(world.folder, "permission")
    status, text = finish(world.wende, config, 1, environment={"WENDE_FAULT_": "1"})
    assert status == 0, text
    env = dict(os.environ, WENDE_FAULT="kill@rank0:step1")
    env.pop("WENDE_ALLOW_FAULTS", None)
    run = subprocess.run([world.wende, config], env=env, capture_output=True, text=True)
    assert run.returncode == 2 and "WENDE_ALLOW_FAULTS" in run.stderr, run


if __name__ == "__main__":
    sys.exit(main(CASES, World, "wende-fault-"))

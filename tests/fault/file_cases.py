#!/usr/bin/env python3
"""Files that cannot be written, are damaged, or belong to another run.

file_cases.py WENDE [CASE ...]
"""
import re
import resource
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fault_runs import Run, Skip, assert_same_model, finish, main, write_config
from run_faults import INTERVAL, World

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


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
def one_writer(world):
    config = write_config(world.folder, "lock", more=INTERVAL)
    first = Run(world.wende, config, 1, fault="slow=150ms@rank0:forward")
    first.wait_for("train epoch 1, step 1,")
    status, text = finish(world.wende, config, 1)
    assert status == 73 and re.search(r"another run writes this model: host \S+, process \d+", text), text
    status = subprocess.run([world.wende, "status", world.folder / "lock"], capture_output=True, text=True)
    assert status.returncode == 0 and "running" in status.stdout, status
    assert re.search(r"epoch [12] of 2, step \d+ of 24, 1 process", status.stdout), status
    assert first.end() == 0, first.text
    assert_same_model(world.folder, "lock", world.reference(1))
    status = subprocess.run([world.wende, "status", world.folder / "lock" / "m"], capture_output=True, text=True)
    assert "finished" in status.stdout and re.search(r"a checkpoint takes \d+\.\d\d s to write", status.stdout), status.stdout


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


if __name__ == "__main__":
    sys.exit(main(CASES, World, "wende-files-"))

#!/usr/bin/env python3
"""A job that restarts at the same step again and again ends with status 1: every batch file with Slurm's and MPI's
programs replaced by stubs.

stuck_job_test.py WENDE
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAUNCHER = """#!/bin/sh
n=$(($(cat calls) + 1)); echo $n > calls
sed -n "${n}p" places
exit $(sed -n "${n}p" statuses)
"""
SCONTROL = """#!/bin/sh
case "$1" in
  show) echo "JobId=7"; echo "   StdOut=$PWD/job.log";;
  requeue) echo requeued > queued;;
esac
"""
SAME = "Going on in epoch 2 after step 40"


class Job:
    """Starts of one job; places: what the program says of each, statuses: how it ends."""

    def __init__(self, folder, places, statuses=None):
        self.folder = folder
        for name, text in [("srun", LAUNCHER), ("mpirun", LAUNCHER), ("scontrol", SCONTROL), ("sleep", "#!/bin/sh\n")]:
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        (folder / "calls").write_text("0\n")
        (folder / "places").write_text("".join(f"{place}\n" for place in places))
        (folder / "statuses").write_text("".join(f"{status}\n" for status in statuses or [75] * len(places)))

    def run(self, script):
        """Starts as long as it queues itself: how often the program ran, the last status, the log."""
        environment = dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}", SLURM_JOB_ID="7")
        for start in range(20):
            queued = self.folder / "queued"
            queued.unlink(missing_ok=True)
            environment["SLURM_RESTART_COUNT"] = str(start)
            with open(self.folder / "job.log", "a") as log:
                status = subprocess.run(["bash", script, "my.config"], cwd=self.folder, env=environment, stdout=log,
                                        stderr=log, timeout=60).returncode
            if not queued.exists():
                break
        return int((self.folder / "calls").read_text()), status, (self.folder / "job.log").read_text()


def scripts(wende, folder):
    for name in ["one-node", "several-nodes", "requeue"]:
        yield ROOT / f"slurm/{name}.sbatch"
    for launcher in ["srun", "mpirun"]:
        path = folder / f"{launcher}.sbatch"
        path.write_text(subprocess.run([wende, "slurm", "my.config", "--ranks", "2", "--time", "1:00", "--launcher", launcher],
                                       check=True, capture_output=True, text=True).stdout)
        yield path


def check(script, places, want, statuses=None):
    with tempfile.TemporaryDirectory() as folder:
        got = Job(Path(folder), places, statuses).run(script)
    assert got[:2] == want, f"{script}, {places}: {got[:2]}, wanted {want}\n{got[2]}"
    return got[2]


def main():
    wende = os.path.abspath(sys.argv[1])
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for script in scripts(wende, Path(folder)):
            text = check(script, ["start epoch 1"] + 9 * [SAME], (4, 1))
            assert f"no progress in three restarts: {SAME}" in text, text
            text = check(script, 10 * ["start epoch 1"], (4, 1))
            assert "no progress in three restarts: the beginning" in text, text
            moving = [f"Going on in epoch 1 after step {n}" for n in range(9)]
            check(script, moving, (9, 0), 8 * [75] + [0])
            # twice at one place, then on: not stuck
            check(script, ["start epoch 1", SAME, SAME, "Going on after epoch 2", "Going on after epoch 2", SAME], (6, 0),
                  5 * [75] + [0])
            check(script, ["start epoch 1", SAME], (2, 80), [75, 80])  # a run that failed does not come back
            count += 1
    print(f"{count} batch files: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A run that is killed again and again at random moments ends with the model of an undisturbed one.

soak.py WENDE [--kills 100] [--ranks 2] [--seed 1]
Each attempt gets one of: KILL of a rank or of mpirun, TERM or USR1 to one or all, at a random time. When a training
is done, the next one begins, until so many kills have struck.
"""
import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fault_runs import Run, assert_same_model, finish, write_config

MORE = "checkpoint_interval_steps = 5\nwatchdog_timeout = 60\n"
KINDS = ["kill rank", "kill rank", "kill launcher", "term rank", "usr1 rank", "usr1 launcher", "term launcher"]


def hit(run, kind, dice):
    """False if the run had ended before."""
    what, where = kind.split()
    number = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "usr1": signal.SIGUSR1}[what]
    try:
        ranks = run.children() if where == "rank" else []
        if where == "rank" and not ranks:
            ranks = [run.process.pid]
        if run.process.poll() is not None:
            return False
        os.kill(dice.choice(ranks) if where == "rank" else run.process.pid, number)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return True


def train(options, folder, name, dice, counts, kills):
    """One training to its end through up to `kills` hits; how many struck."""
    struck = 0
    config = write_config(folder, name, more=MORE)
    while True:
        run = Run(options.wende, config, options.ranks, fault="slow=10ms@rank0:forward")
        if struck < kills:
            time.sleep(dice.uniform(0.05, 1.2))
            kind = dice.choice(KINDS)
            if hit(run, kind, dice):
                struck += 1
                counts[kind] = counts.get(kind, 0) + 1
        status = run.end(90)
        if status == 0:
            return struck
        assert status not in (65, 70, 73, 74, 76, 78, 80, 81, 82), f"{name}: status {status}\n{run.text}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wende", type=os.path.abspath)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice, counts, struck, trainings = random.Random(options.seed), {}, 0, 0
    with tempfile.TemporaryDirectory(prefix="wende-soak-") as folder:
        folder = Path(folder)
        status, text = finish(options.wende, write_config(folder, "reference", more=MORE), options.ranks)
        assert status == 0, text
        while struck < options.kills:
            trainings += 1
            name = f"soak{trainings}"
            struck += train(options, folder, name, dice, counts, options.kills - struck)
            assert_same_model(folder, name, "reference")
            shutil.rmtree(folder / name)
            print(f"{struck} of {options.kills} struck, {trainings} trainings equal to the undisturbed one", flush=True)
    print("soak: ok,", ", ".join(f"{count} x {kind}" for kind, count in sorted(counts.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())

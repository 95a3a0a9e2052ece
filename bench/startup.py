#!/usr/bin/env python3
"""Seconds from the start of the process to the end of its first training step, 12AX demo: median of several runs.

startup.py WENDE [RUNS]      Wall and CPU seconds; on a busy machine only the latter mean something.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIG = Path(__file__).resolve().parents[1] / "configs/12ax.lstm.config"


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_step(wende, folder):
    options = {"model": f"{folder}/model", "learning_rate_file": f"{folder}/rates", "log_verbosity": 5, "num_epochs": 1}
    pairs = [text for key, value in options.items() for text in (f"++{key}", str(value))]
    start = time.perf_counter()
    process = subprocess.Popen([wende, CONFIG, *pairs], stdout=subprocess.PIPE, text=True, cwd=folder, env=dict(os.environ, OMP_NUM_THREADS="1"))
    for line in process.stdout:
        if "step 0" in line:
            result = time.perf_counter() - start, cpu_seconds(process.pid)
            process.kill()
            process.wait()
            return result
    raise SystemExit("startup: the program ended without a step")


def main():
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    results = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            results.append(first_step(Path(sys.argv[1]).resolve(), folder))
    wall, cpu = (statistics.median(column) for column in zip(*results))
    print(f"12AX, start to the end of the first step: wall {wall:.3f} s, CPU {cpu:.3f} s (medians of {runs}); target 0.5 s")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs every NN-name.config beside this file and checks what Wende says about it.

First lines of a config: `# expect: status 78; /regex/`, then any of
`# also: /regex/`, `# run` (training, not `wende check`), `# run: text.hdf` (that file is made first), `# mpi` (also with two ranks).
Usage: run_bad_configs.py WENDE [NAME ...]
"""

import os
import re
import subprocess
import sys
import tempfile
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
MAX_LINES = 12
# Starting the program is about 0.1 s; two ranks start an MPI runtime.
MAX_SECONDS = 2.0
MAX_SECONDS_MPI = 20.0


class Case:
    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)
        self.patterns = []
        self.run = False
        self.input = None
        self.mpi = False
        with open(path) as lines:
            for line in lines:
                if match := re.fullmatch(r"# expect: status (\d+); /(.*)/\n", line):
                    self.status = int(match[1])
                    self.patterns.append(match[2])
                elif match := re.fullmatch(r"# also: /(.*)/\n", line):
                    self.patterns.append(match[1])
                elif match := re.fullmatch(r"# run(?:: (\S+))?\n", line):
                    self.run = True
                    self.input = match[1]
                elif line == "# mpi\n":
                    self.mpi = True
                else:
                    break


def make_input(folder, name):
    path = os.path.join(folder, name)
    if name == "text.hdf":
        with open(path, "w") as file:
            file.write("this is a text, not HDF5\n" * 50)
        return
    import h5py
    import numpy

    with h5py.File(path, "w") as file:
        file["inputs"] = numpy.zeros((1000, 9), "float32")
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)


def execute(command, folder, limit):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OMPI_")}
    environment["OMP_NUM_THREADS"] = "1"
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    seconds = time.monotonic() - start
    problems = [f"took {seconds:.1f} s"] if seconds > limit else []
    return done, problems


def judge(case, done):
    problems = []
    text = done.stderr
    if done.returncode != case.status:
        problems.append(f"status {done.returncode}, wanted {case.status}")
    for pattern in case.patterns:
        if not re.search(pattern, text):
            problems.append(f"no match of /{pattern}/")
    if "Traceback" in text:
        problems.append("a traceback")
    return problems


def check(wende, case):
    with tempfile.TemporaryDirectory() as folder:
        if case.input:
            make_input(folder, case.input)
        before = sorted(os.listdir(folder))
        command = [wende, case.path] if case.run else [wende, "check", case.path]
        done, problems = execute(command, folder, MAX_SECONDS)
        problems += judge(case, done)
        if done.stderr.count("\n") > MAX_LINES:
            problems.append(f"{done.stderr.count(chr(10))} lines")
        if case.mpi:
            mpirun = ["mpirun", "-n", "2", "--allow-run-as-root", "--oversubscribe", wende, case.path]
            ranks, more = execute(mpirun, folder, MAX_SECONDS_MPI)
            problems += [f"two ranks: {problem}" for problem in more + judge(case, ranks)]
            first = next((line for line in ranks.stderr.split("\n") if re.search(case.patterns[0], line)), None)
            if first is not None and len(re.findall(case.patterns[0], ranks.stderr)) != 1:
                problems.append("two ranks: not printed exactly once")
        if sorted(os.listdir(folder)) != before:
            problems.append(f"wrote {sorted(set(os.listdir(folder)) - set(before))}")
        return problems, done.stderr


def main():
    wende = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".config"))
    failed = 0
    count = 0
    for name in names:
        if wanted and not any(part in name for part in wanted):
            continue
        count += 1
        problems, text = check(wende, Case(os.path.join(FOLDER, name)))
        if problems:
            failed += 1
            print(f"{name}: {'; '.join(problems)}\n    " + "\n    ".join(text.strip().split("\n")[:MAX_LINES]))
    print(f"{count - failed} of {count} bad configs are answered as they should be")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())

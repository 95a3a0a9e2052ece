#!/usr/bin/env python3
"""Runs every NN-name.config beside this file and checks what Wende says about it.

First lines of a config: `# expect: status 78; /regex/`, then any of
`# also: /regex/`, `# run` (training, not `wende check`), `# run: text.hdf` (that file is made first), `# mpi` (also with two ranks),
`# environment: NAME=VALUE`, `# options: ++key value ...` (on the command line),
`# first: ++key value ...` (a training with these options goes before), `# bytes: KIND` (the config is read as such a file, see config_bytes).
Usage: run_bad_configs.py WENDE [NAME ...]
"""

import os
import re
import resource
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))
MAX_LINES = 12
# Of the processor, so that other programs do not matter. Starting the program is about 0.1 s; two ranks start an MPI runtime.
MAX_SECONDS = 1.0
MAX_SECONDS_MPI = 20.0


def overrides(text):
    """["++key", "value", ...] of a line in which values may have spaces."""
    return [word for pair in re.findall(r"(\+\+\w+) (.*?)(?= \+\+|$)", text) for word in pair]


class Case:
    def __init__(self, path):
        self.path = path
        self.name = os.path.basename(path)
        self.patterns = []
        self.run = False
        self.input = None
        self.mpi = False
        self.first = None
        self.options = []
        self.bytes = None
        self.environment = {}
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
                elif match := re.fullmatch(r"# first: (.*)\n", line):
                    self.first = overrides(match[1])
                elif match := re.fullmatch(r"# options: (.*)\n", line):
                    self.options = overrides(match[1])
                elif match := re.fullmatch(r"# bytes: (\w+)\n", line):
                    self.bytes = match[1]
                elif match := re.fullmatch(r"# environment: (\w+)=(.*)\n", line):
                    self.environment[match[1]] = match[2]
                elif line == "# mpi\n":
                    self.mpi = True
                else:
                    break


def make_dataset(path, fault):
    """Three sequences in HDFDataset's layout, one thing of which is wrong."""
    import h5py
    import numpy

    inputs = numpy.arange(18 * 9, dtype="float32").reshape(18, 9) / 100
    lengths = numpy.array([[5, 5], [6, 6], [7, 7]], "int32")
    labels = numpy.arange(18, dtype="int32") % 2
    if fault == "nan":
        inputs[7, 2] = numpy.nan
    if fault == "label":
        labels[8] = 5
    with h5py.File(path, "w") as file:
        file["inputs"] = inputs[:17] if fault == "rows" else inputs
        file["seqLengths"] = lengths[:, :1] if fault == "columns" else lengths
        file["seqTags"] = numpy.array([b"s0", b"s1", b"s2"])
        file["targets/data/classes"] = labels
        file["targets/labels/classes"] = numpy.array([b"a", b"b"])
        file.create_group("targets/size").attrs["classes"] = [2, 1]
        file.attrs.update({"inputPattSize": 9, "numSeqs": 3, "numTimesteps": 18, "numLabels": 2})


def make_input(folder, name):
    path = os.path.join(folder, name)
    if name == "text.hdf":
        with open(path, "w") as file:
            file.write("this is a text, not HDF5\n" * 50)
    elif name == "cut.hdf":
        make_dataset(path, "")
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) // 2)
    else:
        make_dataset(path, name.removesuffix(".hdf"))


def config_bytes(case, folder):
    """A config that cannot be kept as a text file: written, or made, in the folder of the run."""
    path = os.path.join(folder, case.name)
    with open(case.path, "rb") as file:
        text = file.read()
    if case.bytes == "folder":
        os.mkdir(path)
        return path
    kinds = {"utf16": text.decode().encode("utf-16"), "nul": text + b"x = '\0'\n", "empty": b"", "binary": bytes(range(1, 256)) * 20}
    with open(path, "wb") as file:
        file.write(kinds[case.bytes])
    return path


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def execute(command, folder, limit, additions):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OMPI_")}
    environment |= {"OMP_NUM_THREADS": "1"} | additions
    before = cpu_seconds()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    seconds = cpu_seconds() - before
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
    if re.search(r"Traceback|terminate called|what\(\):|\.cpp:\d+", text):
        problems.append("a traceback")
    return problems


def tree(folder):
    """Every file below, with its size and time: nothing may be written, not even over an existing file. The lock and the state of a
    model's run may: they are there before anything else is looked at."""
    return sorted((path, name, os.stat(os.path.join(path, name)).st_size, os.stat(os.path.join(path, name)).st_mtime_ns)
                  for path, _, names in os.walk(folder) for name in names
                  if not name.endswith((".lock", ".status.json")))


def check(wende, case):
    with tempfile.TemporaryDirectory() as folder:
        if case.input:
            make_input(folder, case.input)
        config = config_bytes(case, folder) if case.bytes else case.path
        if case.first:
            done, problems = execute([wende, config, *case.first], folder, MAX_SECONDS_MPI, {})
            if done.returncode != 0:
                return [f"the training before fails: {done.stderr}"], done.stderr
        before = tree(folder)
        command = ([wende, config] if case.run else [wende, "check", config]) + case.options
        done, problems = execute(command, folder, MAX_SECONDS, case.environment)
        problems += judge(case, done)
        if done.stderr.count("\n") > MAX_LINES:
            problems.append(f"{done.stderr.count(chr(10))} lines")
        if case.mpi:
            mpirun = ["mpirun", "-n", "2", "--allow-run-as-root", "--oversubscribe", wende, case.path]
            ranks, more = execute(mpirun, folder, MAX_SECONDS_MPI, case.environment)
            problems += [f"two ranks: {problem}" for problem in more + judge(case, ranks)]
            first = next((line for line in ranks.stderr.split("\n") if re.search(case.patterns[0], line)), None)
            if first is not None and len(re.findall(case.patterns[0], ranks.stderr)) != 1:
                problems.append("two ranks: not printed exactly once")
        if tree(folder) != before:
            problems.append(f"wrote {sorted(set(tree(folder)) ^ set(before))}")
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

#!/usr/bin/env python3
"""The first error of any rank ends all of them within 5 s, and stands first in the log.

first_error_test.py WENDE
"""
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy

MOST_SECONDS = 5
HEAD = """
import os
rank = int(os.environ["OMPI_COMM_WORLD_RANK"])
task = "train"
batch_size = 1000
max_seqs = 1
num_epochs = 3
optimizer = {"class": "adam"}
learning_rate = 0.01
"""
DAMAGED = HEAD + """
train = {"class": "HDFDataset", "files": ["train.hdf"], "seq_ordering": "default"}
extern_data = {"data": {"dim": 9}, "classes": {"dim": 2, "sparse": True}}
network = {"output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"}}
"""
RAISING = HEAD + """
def scale(source, **kwargs):
    if rank == 1:
        raise ValueError("only rank one minds")
    return source(0)
train = {"class": "Task12AXDataset", "num_seqs": 2000}
num_inputs = 9
num_outputs = 2
network = {
    "scaled": {"class": "eval", "eval": scale, "from": "data"},
    "output": {"class": "softmax", "loss": "ce", "from": "scaled", "target": "classes"},
}
"""


def write_data(path):
    """2000 sequences of 4 frames; sequence 501 has a label out of range. It is the 251st of rank 1, and nothing of rank 0."""
    labels = numpy.zeros(8000, "int32")
    labels[501 * 4 + 2] = 7
    with h5py.File(path, "w") as file:
        file["inputs"] = numpy.zeros((8000, 9), "float32")
        file["seqLengths"] = numpy.full((2000, 2), 4, "int32")
        file["seqTags"] = numpy.array([b"seq-%d" % i for i in range(2000)])
        file["targets/data/classes"] = labels
        file["targets/labels/classes"] = numpy.array([b"a", b"b"])
        file.create_group("targets/size").attrs["classes"] = [2, 1]
        file.attrs.update({"inputPattSize": 9, "numSeqs": 2000, "numTimesteps": 8000, "numLabels": 2})


def run(wende, folder, text, ranks):
    """(exit status, lines of stderr, seconds from the first of them to the end)"""
    (folder / "my.config").write_text(text)
    command = ["mpirun", "-n", str(ranks), "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", wende, "my.config"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines, start = [], None
    for line in process.stderr:
        start = start or time.monotonic()
        lines.append(line.rstrip())
    status = process.wait(60)
    return status, lines, time.monotonic() - (start or time.monotonic())


def without_banner(lines):
    """mpirun puts its own words about MPI_ABORT between two dashed lines, before or after what the rank wrote."""
    own, banner = [], False
    for line in lines:
        dashes = len(line) > 40 and not line.strip("-")
        if not dashes and not banner:
            own.append(line)
        banner ^= dashes
    return own


def check(name, result, status, *parts):
    got, lines, seconds = result
    text = "\n".join(lines)
    lines = without_banner(lines)
    assert got == status, f"{name}: status {got}, wanted {status}\n{text}"
    assert lines and all(part in lines[0] for part in parts), f"{name}: the first line is not the error\n{text}"
    assert sum(parts[0] in line for line in lines) == 1, f"{name}: told more than once\n{text}"
    assert seconds < MOST_SECONDS, f"{name}: {seconds:.1f} s until all ranks had ended"
    print(f"{name}: {seconds:.2f} s from the message to the end; {lines[0]}")


def main():
    wende = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder / "train.hdf")
        for ranks in (2, 3):
            check(f"damaged data, {ranks} ranks", run(wende, folder, DAMAGED, ranks), 65, "seq-501", "label 7")
            check(f"exception on rank 1 of {ranks}", run(wende, folder, RAISING, ranks), 78, "only rank one minds", "my.config")
    return 0


if __name__ == "__main__":
    sys.exit(main())

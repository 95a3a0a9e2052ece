#!/usr/bin/env python3
"""A config that says nothing of its data: keys and sizes come from the training data set, as in RETURNN.

Usage: extern_from_dataset_test.py WENDE. RETURNN 1.20261022 (TensorFlow 2.15) gave this config and these three sequences
"epoch 1 score: 0.8627300326729568 error: 0.5000000037252903".
"""
import os
import re
import subprocess
import sys
import tempfile

import h5py
import numpy

CONFIG = """#!rnn.py
task = "train"
train = {"class": "HDFDataset", "files": ["three.hdf"]}
batch_size = 100
learning_rate = 0.1
num_epochs = 1
network = {"output": {"class": "softmax", "loss": "ce", "from": "data"}}
"""
SCORE, ERROR = 0.8627300326729568, 0.5


def write_data(path):
    with h5py.File(path, "w") as file:
        file["inputs"] = numpy.arange(18 * 9, dtype="float32").reshape(18, 9) / 100
        file["seqLengths"] = numpy.array([[5, 5], [6, 6], [7, 7]], "int32")
        file["seqTags"] = numpy.array([b"s0", b"s1", b"s2"])
        file["targets/data/classes"] = numpy.arange(18, dtype="int32") % 2
        file["targets/labels/classes"] = numpy.array([b"a", b"b"])
        file.create_group("targets/size").attrs["classes"] = [2, 1]
        file.attrs.update({"inputPattSize": 9, "numSeqs": 3, "numTimesteps": 18, "numLabels": 2})


def main():
    wende = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        write_data(os.path.join(folder, "three.hdf"))
        with open(os.path.join(folder, "my.config"), "w") as file:
            file.write(CONFIG)
        run = lambda *words: subprocess.run([wende, *words], cwd=folder, capture_output=True, text=True, check=False)
        done = run("my.config")
        found = re.search(r"^epoch 1 score: ([0-9.e-]+) error: ([0-9.e-]+) ", done.stdout, re.M)
        assert done.returncode == 0 and found, done.stdout + done.stderr
        assert abs(float(found[1]) - SCORE) < 1e-6 and abs(float(found[2]) - ERROR) < 1e-6, found[0]
        table = run("check", "my.config")
        assert table.returncode == 0 and "'classes:sparse-dim'(2)" in table.stdout, table.stdout + table.stderr
        os.remove(os.path.join(folder, "three.hdf"))
        missing = run("check", "my.config")
        assert missing.returncode == 66 and "my.config:3: train['files'][0]: no such file" in missing.stderr, missing.stderr


if __name__ == "__main__":
    main()

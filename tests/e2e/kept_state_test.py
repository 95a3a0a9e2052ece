#!/usr/bin/python3
"""A sequence in two batches, with initial_state "keep_over_epoch", gives what it gives as a whole.

kept_state_test.py WENDE
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy

CONFIG = """
import math

def frames(begin, end):
    return {"data": [[math.sin(3 * t + f) for f in range(4)] for t in range(begin, end)], "classes": [0] * (end - begin)}

train = {"class": "StaticDataset", "data": [frames(0, 2)], "output_dim": {"data": (4, 2), "classes": (3, 1)}}
dev = {"class": "StaticDataset", "data": PARTS, "seq_ordering": "default", "output_dim": {"data": (4, 2), "classes": (3, 1)}}
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
batch_size = 100
max_seqs = 1
network = {
    "lstm": {"class": "rec", "unit": "UNIT", "n_out": 3, "initial_state": "keep_over_epoch", "from": "data"},
    "dump": {"class": "hdf_dump", "filename": "{dataset_name}-{epoch}.hdf", "dump_per_run": True, "from": "lstm", "is_output_layer": True},
    "output": {"class": "softmax", "loss": "ce", "from": "lstm", "target": "classes"},
}
learning_rate = 1e-30
num_epochs = 2
model = "net"
"""


def outputs(wende, unit, parts):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test.config").write_text(CONFIG.replace("PARTS", parts).replace("UNIT", unit))
        done = subprocess.run([str(Path(wende).resolve()), "test.config"], cwd=folder, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return [h5py.File(folder / f"dev-{epoch}.hdf")["inputs"][()] for epoch in (1, 2)]


def main():
    for unit in ("nativelstm2", "gru"):
        first, second = outputs(sys.argv[1], unit, "[frames(0, 4), frames(4, 9), frames(9, 11)]")
        whole, _ = outputs(sys.argv[1], unit, "[frames(0, 11)]")
        other, _ = outputs(sys.argv[1], unit, "[frames(4, 9)]")
        assert numpy.allclose(first, whole, atol=1e-6), f"{unit}:\n{first}\n{whole}"
        assert numpy.array_equal(first, second), f"{unit}: the second epoch does not start with zeros"
        assert not numpy.allclose(first[4:9], other, atol=1e-3), f"{unit}: no state reached the second batch"
    print("keep_over_epoch: states go on from batch to batch, epochs start with zeros")


if __name__ == "__main__":
    main()

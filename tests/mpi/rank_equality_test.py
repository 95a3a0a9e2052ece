#!/usr/bin/env python3
"""N ranks mean the same as one: the union of their batches gives the same losses and parameters over 20 steps.

rank_equality_test.py WENDE [--device gpu]     gpu: 1, 2 and 3 ranks on GPUs, each the same as one rank on the CPU
"""
import json
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

# Further losses, and everything that may divide one.
LOSSES = """
    "mse": {"class": "linear", "activation": None, "loss": "mse", "from": "hidden", "target": "classes"},
    "generic": {"class": "linear", "activation": "sigmoid", "n_out": 2, "loss": "generic_ce", "loss_scale": 0.1, "from": "lstm", "target": "classes"},
    "number": {"class": "softmax", "loss": "ce", "loss_opts": {"use_normalized_loss": True, "custom_norm_factor": 0.01}, "from": "hidden", "target": "classes"},
    "function": {"class": "softmax", "loss": "ce", "loss_opts": {"use_normalized_loss": True, "custom_norm_factor": norm}, "from": "lstm", "target": "classes"},
    "length": {"class": "length", "from": "data", "dtype": "float32"},
    "layer": {"class": "softmax", "loss": "ce", "loss_opts": {"use_normalized_loss": True, "custom_inv_norm_factor": "length"}, "loss_scale": 5, "from": "lstm", "target": "classes"},
    "square": {"class": "eval", "eval": "source(0) ** 2", "loss": "as_is", "loss_scale": 0.01, "loss_opts": {"scale": 0.01}, "from": "lstm"},
    "smooth": {"class": "softmax", "loss": "ce", "loss_opts": {"label_smoothing": 0.1, "focal_loss_factor": 1.0}, "from": "lstm", "target": "classes"},
    "stats": {"class": "framewise_statistics", "sil_label_idx": 0, "from": "output", "is_output_layer": True},
"""

CONFIG = """
task = "train"

def norm(self, **kwargs):
    import tensorflow as tf
    return 3.0 / tf.cast(tf.reduce_sum(self.target_seq_lens), tf.float32)

train = {"class": "Task12AXDataset", "num_seqs": 120, "seq_ordering": "default", "fixed_random_seed": 1}
dev = {"class": "Task12AXDataset", "num_seqs": 31, "fixed_random_seed": 1}
num_inputs = 9
num_outputs = 2
network = {
    "lstm": {"class": "rec", "unit": "lstm", "n_out": 10, "dropout": 0.1, "L2": 0.01, "from": "data"},
    "hidden": {"class": "linear", "activation": "tanh", "n_out": 12, "dropout": 0.2, "from": "lstm",
        "dropout_noise_shape": {"*": None}, "spatial_smoothing": 0.001, "darc1": 0.001},
    "aux": {"class": "softmax", "loss": "ce", "loss_scale": 0.3, "from": "hidden", "target": "classes"},
    "normalized": {"class": "softmax", "loss": "ce", "loss_scale": 30, "loss_opts": {"use_normalized_loss": True},
        "from": "hidden", "target": "classes", "dropout": 0.1, "dropout_noise_shape": {"B": None}},
    "output": {"class": "softmax", "loss": "ce", "from": "lstm", "target": "classes"},
%s}
batch_size = 100000
adam = True
gradient_clip_global_norm = 5.0
learning_rate = 0.01
num_epochs = 1
log_verbosity = 5
"""


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        arrays[name] = np.frombuffer(data[8 + size + begin : 8 + size + end], dtype={"F32": np.float32, "I64": np.int64}[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def train(wende, ranks, device, folder, more):
    config = folder / f"{device}{ranks}.config"
    model = folder / f"{device}{ranks}"
    config.write_text(CONFIG % more + f'model = "{model}"\nmax_seqs = {6 // ranks}\n')
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), wende, config, "--device", device]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120 if device == "cpu" else 500)
    assert run.returncode == 0, run.stdout + run.stderr
    steps = [line for line in run.stdout.splitlines() if line.startswith("train epoch 1, step ")]
    losses = [float(re.search(r", loss ([-0-9.e+]+)", line)[1]) for line in steps]
    dev = re.search(r"^dev: score .*$", run.stdout, re.M)[0]
    return losses, dev, read_safetensors(Path(f"{model}.001.wende/params.safetensors"))


def main():
    compare("")
    compare(LOSSES)


def compare(more):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        device = "gpu" if sys.argv[2:] == ["--device", "gpu"] else "cpu"
        losses, dev, params = train(sys.argv[1], 1, "cpu", folder, more)
        assert len(losses) == 20, losses
        for ranks in (1, 2, 3) if device == "gpu" else (2, 3):
            other_losses, other_dev, other = train(sys.argv[1], ranks, device, folder, more)
            np.testing.assert_allclose(other_losses, losses, rtol=2e-5, err_msg=f"losses on {ranks} ranks")
            assert sorted(other) == sorted(params)
            for key, value in params.items():
                np.testing.assert_allclose(other[key], value, rtol=1e-3, atol=2e-5, err_msg=f"{key} on {ranks} ranks")
            numbers = [np.array(re.findall(r"[0-9.]+e?[-0-9]*", text), dtype=float) for text in (dev, other_dev)]
            np.testing.assert_allclose(numbers[1], numbers[0], rtol=1e-3, err_msg=f"dev on {ranks} ranks")
            print(f"{ranks} rank(s) on {device}: as one on the CPU over {len(losses)} steps")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Training on a GPU as users see it: CUDA graphs change no bit, --debug names the layer, full memory is explained.

device_training_test.py WENDE     an emulated build, or one with a GPU
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Chunks of 10 frames: most batches have the same shape, some are shorter or padded. Dropout, a loop, a rate that moves.
CONFIG = """
task = "train"
train = {"class": "Task12AXDataset", "num_seqs": 40, "seq_ordering": "default", "fixed_random_seed": 1}
num_inputs = 9
num_outputs = 2
network = {
    "lstm": {"class": "rec", "unit": "lstm", "n_out": 7, "from": "data"},
    "loop": {"class": "rec", "from": "lstm", "unit": {
        "output": {"class": "linear", "activation": "tanh", "n_out": 5, "from": ["data:source", "prev:output"]}}},
    "hidden": {"class": "linear", "activation": "relu", "n_out": 6, "dropout": 0.2, "from": "loop"},
    "output": {"class": "softmax", "loss": "ce", "from": "hidden", "target": "classes"},
}
chunking = "10:10"
batch_size = 30
adam = True
learning_rate = 0.01
dynamic_learning_rate = {"interval": 1000, "decay": 0.99}
num_epochs = 1
log_verbosity = 5
device = "gpu"
"""
BAD = CONFIG.replace('"from": "hidden", "target"', '"from": "bad", "target"').replace(
    '    "output": {"class": "softmax"', '    "bad": {"class": "eval", "eval": "tf.math.log(source(0) - 200.0)", "from": "hidden"},\n    "output": {"class": "softmax"')


def run(wende, folder, name, config, *options, status=0, **variables):
    path = folder / f"{name}.config"
    path.write_text(config + f'model = "{folder}/{name}"\n')
    done = subprocess.run([wende, "train", path, *options], capture_output=True, text=True, timeout=500, env={**os.environ, **variables})
    assert done.returncode == status, (done.returncode, done.stdout + done.stderr)
    return done.stdout + done.stderr


def graphs_change_no_bit(wende, folder):
    plain = run(wende, folder, "plain", CONFIG, "--no-cuda-graphs")
    recorded = run(wende, folder, "recorded", CONFIG)
    losses = [re.findall(r", step (\d+), .*?, loss ([-0-9.e+]+)", text) for text in (plain, recorded)]
    assert losses[0] == losses[1] and len(losses[0]) > 20, losses
    files = [(folder / f"{name}.001.wende/params.safetensors").read_bytes() for name in ("plain", "recorded")]
    assert files[0] == files[1]
    assert "CUDA graphs: 0 launches" in plain, plain
    launches = int(re.search(r"CUDA graphs: (\d+) launches", recorded)[1])
    assert 0.6 * len(losses[0]) < launches <= 1.3 * len(losses[0]), (launches, len(losses[0]))  # a recorded step is one launch, padding or not


def debug_names_the_layer(wende, folder):
    text = run(wende, folder, "bad", BAD, "--debug", status=80)
    assert "layer 'bad'" in text and "first non-finite value" in text, text


def full_memory_is_explained(wende, folder):
    big = CONFIG.replace('"n_out": 6', '"n_out": 60000')
    text = run(wende, folder, "full", big, status=82, WENDE_DEVICE_MEM="16")
    assert "WENDE_DEVICE_MEM allows 16.0" in text, text
    largest = text[text.index("the largest:") :].splitlines()[1:11]
    assert len(largest) == 10 and all("MB at" in line for line in largest) and "hidden/" in largest[0], largest
    assert "'data' of the batch: 3 sequences of lengths 10 10 10" in text, text


def memory_is_estimated(wende, folder):
    """`check` says beforehand what a step takes on the GPU, to 10 %; for the CPU its values and state, exactly."""
    config = CONFIG.replace("batch_size = 30", "batch_size = 1000").replace('"n_out": 6', '"n_out": 300').replace('"num_seqs": 40', '"num_seqs": 60')
    text = run(wende, folder, "estimated", config)
    peak = float(re.search(r"memory on the GPU: at most ([0-9.]+) MB", text)[1])
    found = {}
    for device in ("gpu", "cpu"):
        done = subprocess.run([wende, "check", folder / "estimated.config", "--device", device], capture_output=True, text=True, timeout=100)
        line = re.search(r"memory on the .*: about ([0-9.]+) MB for a step with 100 sequences of 10 frames: ([0-9.]+) for .*, ([0-9.]+) for values", done.stdout)
        assert done.returncode == 0 and line, done.stdout + done.stderr
        found[device] = [float(number) for number in line.groups()]
    assert abs(found["gpu"][0] - peak) <= 0.1 * peak, (found, peak)
    on_cpu = run(wende, folder, "estimated_cpu", config, "--device", "cpu")
    state, values = map(float, re.search(r"([0-9.]+) MB of parameters, .*, ([0-9.]+) MB for the values", on_cpu).groups())
    assert abs(found["cpu"][1] - state) <= 0.11 and abs(found["cpu"][2] - 1.125 * values) <= 0.11, (found, state, values)
    print(f"estimated {found}, used {peak} on the GPU, {state} and {values} on the CPU")


def memory_of_recurrent_layers_is_estimated(wende, folder):
    """Of a BLSTM to 15 %, without what cuDNN works with during a call; what it keeps is more than that."""
    lstms = "".join(
        f'"{name}": {{"class": "rec", "unit": "lstm", "n_out": 30, "from": {source}, "direction": {direction}}},\n'
        for name, source, direction in (("fw", '"data"', 1), ("bw", '"data"', -1), ("fw1", '["fw", "bw"]', 1), ("bw1", '["fw", "bw"]', -1))
    )
    net = "network = {\n" + lstms + '"output": {"class": "softmax", "loss": "ce", "from": ["fw1", "bw1"], "target": "classes"},\n}\n'
    config = re.sub(r"network = \{.*?\n\}\n", lambda _: net, CONFIG, flags=re.S).replace("batch_size = 30", "batch_size = 1000").replace('"num_seqs": 40', '"num_seqs": 60')
    text = run(wende, folder, "blstm", config)
    peak = float(re.search(r"memory on the GPU: at most ([0-9.]+) MB", text)[1])
    done = subprocess.run([wende, "check", folder / "blstm.config", "--device", "gpu"], capture_output=True, text=True, timeout=100)
    estimate = re.search(r"memory on the GPU: about ([0-9.]+) MB for a step with 100 sequences of 10 frames: .*, ([0-9.]+) for recurrent layers", done.stdout)
    assert done.returncode == 0 and estimate, done.stdout + done.stderr
    assert abs(float(estimate[1]) - peak) <= 0.15 * peak, (estimate[0], peak)


def main():
    tests = (graphs_change_no_bit, debug_names_the_layer, full_memory_is_explained, memory_is_estimated, memory_of_recurrent_layers_is_estimated)
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            test(sys.argv[1], Path(folder))
    print("ok")


if __name__ == "__main__":
    main()

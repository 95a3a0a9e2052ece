#!/usr/bin/python3
"""TensorBoard's own reader reads what a training run wrote; metrics.jsonl has the same numbers.

tensorboard_test.py WENDE    (skips by name, status 77, where no Python with the package tensorboard is found;
WENDE_TENSORBOARD_PYTHON names one)
"""
import base64
import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIG = """
train = {"class": "StaticDataset", "data": [{"data": [[0.1 * n, 0.5, -0.1 * t, 1.0] for t in range(n)], "classes": [t % 3 for t in range(n)],
                                             "enc": [[0.2 * t, 0.1, n, -t] for t in range(n + 2)]} for n in (5, 4, 3, 5)],
         "output_dim": {"data": (4, 2), "classes": (3, 1), "enc": (4, 2)}}
dev = train
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}, "enc": {"dim": 4}}
batch_size = 1000
max_seqs = 2
network = {"output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"},
           "aux": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"},
           "stats": {"class": "framewise_statistics", "sil_label_idx": 0, "from": "output", "is_output_layer": True},
           "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data", "loss": "as_is", "loss_scale": 0},
           "energies": {"class": "dot", "from": ["data:enc", "data"], "red1": "F", "red2": "F", "var1": "T", "var2": "T"},
           "weights": {"class": "activation", "activation": "sigmoid", "from": "energies"},
           "swapped": {"class": "swap_axes", "axis1": "B", "axis2": 2, "from": "weights"},
           "picture": {"class": "expand_dims", "axis": "F", "from": "swapped"},
           "image": {"class": "image_summary", "from": "picture", "max_outputs": 2, "is_output_layer": True}}
learning_rate = 0.1
num_epochs = 2
model = "out/net"
tensorboard_histograms = True
metrics_every_steps = 1
"""

READ = """
import base64, json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
result = {}
for folder in sys.argv[1:]:
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "histograms": 0})
    events.Reload()
    result[folder] = {"scalars": {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]},
                      "images": {tag: [(e.step, e.height, e.width, base64.b64encode(e.encoded_image_string).decode()) for e in events.Images(tag)]
                                 for tag in events.Tags()["images"]},
                      "histograms": {tag: [(e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max, e.histogram_value.sum)
                                           for e in events.Histograms(tag)] for tag in events.Tags()["histograms"]}}
print(json.dumps(result))
"""


def find_python():
    for python in (os.environ.get("WENDE_TENSORBOARD_PYTHON"), sys.executable):
        if python and subprocess.run([python, "-c", "import tensorboard"], capture_output=True).returncode == 0:
            return python
    return None


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def check_images(events, folder):
    """The tags are TensorFlow 1's, the bytes those of the PNG files. Sequences of 5 and 4, then of 3 and 5 frames; two more in "enc"."""
    check(sorted(events) == ["image/image_summary/image/image/0", "image/image_summary/image/image/1"], sorted(events))
    for index, tag in enumerate(sorted(events)):
        check([(step, height, width) for step, height, width, _ in events[tag]] == [(0, 5, 7), (1, 5, 7), (2, 5, 7), (3, 5, 7)], tag)
        for step in (2, 3):  # of the second epoch, whose files stand
            png = (folder / f"images/image-{step - 2:06}-{index}.png").read_bytes()
            check(png == base64.b64decode(events[tag][step][3]), f"{tag} in step {step}")


def check_histograms(events, model):
    """Those of the last epoch against the parameters of its checkpoint."""
    data = (model / "params.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = struct.unpack(f"<{(end - begin) // 4}f", data[8 + size + begin:8 + size + end])
        step, count, smallest, largest, total = events["vars/" + name][-1]
        check((step, count) == (2, len(values)), f"{name}: {step}, {count}")
        expected = (min(values), max(values), sum(values))
        check(all(abs(a - b) < 1e-5 * max(1, abs(b)) for a, b in zip((smallest, largest, total), expected)), f"{name}: {events['vars/' + name]}, {expected}")


def main():
    python = find_python()
    if python is None:
        print("skipped: no package tensorboard")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "test.config").write_text(CONFIG)
        done = subprocess.run([os.path.abspath(sys.argv[1]), "test.config"], cwd=folder, capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, done.stdout + done.stderr)
        folders = sorted(path for path in (folder / "out").iterdir() if path.is_dir() and not path.name.endswith(".wende"))
        names = [path.name for path in folders]
        check([name.split("-20")[0] for name in names] == ["dev-1", "dev-2", "epochs", "train"], names)
        read = subprocess.run([python, "-c", READ, *map(str, folders)], capture_output=True, text=True, timeout=300)
        check(read.returncode == 0, read.stderr[-2000:])
        check_images(json.loads(read.stdout)[str(folders[-1])]["images"], folders[-1])
        check_histograms(json.loads(read.stdout)[str(folders[-2])]["histograms"], folder / "out/net.002.wende")
        by_name = {path.name.split("-20")[0]: json.loads(read.stdout)[str(path)] for path in folders}
        lines = [json.loads(line) for line in (folder / "out/metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["type"] == "step"]
    for key, tag in {"cost:output": "objective/loss/loss_output", "error:aux": "objective/loss/error_aux", "loss": "objective/loss",
                     "constraints": "objective/constraints", "objective": "objective/objective"}.items():
        events = by_name["train"]["scalars"][tag]
        check([step for step, _ in events] == [0, 1, 2, 3], f"{tag}: {events}")
        for (_, value), line in zip(events, steps):
            check(abs(value - line["values"][key]) < 1e-5 * max(1, abs(value)), f"{tag}: {value} and {line}")
    check("stats/stats:accumulated_loss_ce" in by_name["train"]["scalars"], sorted(by_name["train"]["scalars"]))
    epochs = [line for line in lines if line["type"] == "epoch"]
    check([line["epoch"] for line in epochs] == [1, 2], epochs)
    for key in ("train_score_output", "dev_error_aux"):
        events = by_name["epochs"]["scalars"]["epoch/" + key]
        check([step for step, _ in events] == [1, 2], events)
        check(all(abs(value - line["errors"][key]) < 1e-5 for (_, value), line in zip(events, epochs)), f"{events} and {epochs}")
    runs = [(line["dataset"], line["epoch"], line["steps"]) for line in lines if line["type"] == "run"]
    check(runs == [("train", 1, 2), ("dev", 1, 2), ("train", 2, 2), ("dev", 2, 2)], runs)
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

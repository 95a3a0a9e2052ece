#!/usr/bin/python3
"""TensorBoard's own reader reads what a training run wrote; metrics.jsonl has the same numbers.

tensorboard_test.py WENDE    (skips by name, status 77, where no Python with the package tensorboard is found;
WENDE_TENSORBOARD_PYTHON names one)
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIG = """
train = {"class": "StaticDataset", "data": [{"data": [[0.1 * n, 0.5, -0.1 * t, 1.0] for t in range(n)], "classes": [t % 3 for t in range(n)]}
                                            for n in (5, 4, 3, 5)],
         "output_dim": {"data": (4, 2), "classes": (3, 1)}}
dev = train
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
batch_size = 12
max_seqs = 2
network = {"output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"},
           "aux": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"},
           "stats": {"class": "framewise_statistics", "sil_label_idx": 0, "from": "output", "is_output_layer": True}}
learning_rate = 0.1
num_epochs = 2
model = "out/net"
tensorboard_histograms = True
metrics_every_steps = 1
"""

READ = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
result = {}
for folder in sys.argv[1:]:
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "histograms": 0})
    events.Reload()
    result[folder] = {"scalars": {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]},
                      "histograms": {tag: [e.histogram_value.num for e in events.Histograms(tag)] for tag in events.Tags()["histograms"]}}
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
    check(by_name["epochs"]["histograms"]["vars/output/W"] == [12, 12], by_name["epochs"]["histograms"])
    runs = [(line["dataset"], line["epoch"], line["steps"]) for line in lines if line["type"] == "run"]
    check(runs == [("train", 1, 2), ("dev", 1, 2), ("train", 2, 2), ("dev", 2, 2)], runs)
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

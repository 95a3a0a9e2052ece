#!/usr/bin/python3
"""hdf_dump with every option, framewise_statistics and the task analyze, on one and on two processes: the same files and numbers, those of NumPy.

utility_layers_test.py WENDE
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy

ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")
LENGTHS = {"train": (5, 4, 3, 5), "dev": (2, 6)}
DIM, CLASSES = 4, 3

CONFIG = """
import math

def sequences(lengths, start):
    return [{"data": [[math.sin(start + 7 * i + 3 * t + f) for f in range(4)] for t in range(n)], "classes": [(i + 2 * t) % 3 for t in range(n)]}
            for i, n in enumerate(lengths)]

train = {"class": "StaticDataset", "data": sequences((5, 4, 3, 5), 0), "output_dim": {"data": (4, 2), "classes": (3, 1)}}
dev = {"class": "StaticDataset", "data": sequences((2, 6), 1), "output_dim": {"data": (4, 2), "classes": (3, 1)}}
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
batch_size = 1000
max_seqs = 2

def by_function(epoch, dataset_name, **kwargs):
    return "function-%s-%i.hdf" % (dataset_name, epoch)

network = {
    "hidden": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "hidden"},
    "output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"},
    # A network without any recurrent layer would be fed with concatenated sequences.
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 2, "from": "hidden"},
    "aux": {"class": "linear", "activation": None, "n_out": 3, "loss": "mse", "from": "lstm", "target": "classes"},
    "once": {"class": "hdf_dump", "filename": "once.hdf", "from": "output", "labels": ["sil", "a", "b"], "extra": {"classes": "data:classes", "hidden": "hidden"},
             "is_output_layer": True},
    "function": {"class": "hdf_dump", "filename": by_function, "dump_per_run": True, "from": "output", "is_output_layer": True},
    "format": {"class": "hdf_dump", "filename": "format-{dataset_name}-{epoch:02}.hdf", "dump_per_run": True, "from": "data:classes", "is_output_layer": True},
    "whole": {"class": "hdf_dump", "filename": "whole.hdf", "dump_whole_batches": True, "extra": {"classes": "data:classes"}, "from": "hidden", "is_output_layer": True},
    "stats": {"class": "framewise_statistics", "sil_label_idx": 0, "from": "output", "is_output_layer": True},
}
learning_rate = 1e-30
num_epochs = 2
model = "out/net"
learning_rate_file = "out/rates"
metrics_every_steps = 1
sil_label_idx = 0
"""


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def run(wende, folder, ranks, *options, status=0, command="run"):
    folder.mkdir(exist_ok=True)
    (folder / "test.config").write_text(CONFIG)
    launcher = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
    command = launcher + [str(Path(wende).resolve()), command, "test.config", "++max_seqs", str(2 // ranks), *options]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    check(done.returncode == status, f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def inputs(name):
    start = {"train": 0, "dev": 1}[name]
    frames = [[numpy.sin([[start + 7 * i + 3 * t + f for f in range(DIM)] for t in range(n)]), [(i + 2 * t) % CLASSES for t in range(n)]]
              for i, n in enumerate(LENGTHS[name])]
    return sorted(frames, key=lambda pair: len(pair[1])) if name == "dev" else frames


def parameters(folder):
    (path,) = (folder / "out/net.002.wende").glob("*params*.safetensors") if list((folder / "out/net.002.wende").glob("*params*.safetensors")) else \
        [path for path in (folder / "out/net.002.wende").glob("*.safetensors") if b"output/W" in path.read_bytes()]
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    result = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            result[name] = numpy.frombuffer(data[8 + size + begin:8 + size + end], "<f4").reshape(entry["shape"])
    return result


def posteriors(params, frames):
    scores = numpy.exp(frames @ params["output/W"] + params["output/b"])
    return scores / scores.sum(axis=1, keepdims=True)


def near(a, b):
    return numpy.shape(a) == numpy.shape(b) and numpy.allclose(a, b, rtol=1e-4, atol=1e-6)


def check_once(folder, params):
    """All passes in one file, in the order in which they ran: train 1, dev 1, train 2, dev 2."""
    passes = (inputs("train") + inputs("dev")) * 2
    with h5py.File(folder / "once.hdf") as file:
        check(list(file["labels"][()]) == [b"sil", b"a", b"b"], file["labels"][()])
        lengths = [len(labels) for _, labels in passes]
        check(file["seqLengths"][:, 0].tolist() == lengths, file["seqLengths"][()])
        check(near(file["inputs"][()], numpy.concatenate([posteriors(params, x) for x, _ in passes])), "posteriors")
        data = file["targets/data"]
        check(sorted(data) == ["classes", "classes_seq_lens", "hidden", "hidden_seq_lens", "seq_sizes"], sorted(data))
        check(data["seq_sizes"][()].tolist() == lengths, data["seq_sizes"][()])
        check(data["classes_seq_lens"][()].tolist() == lengths, data["classes_seq_lens"][()])
        # Extras keep the padding of their batch.
        column = sorted(data).index("hidden") + 1
        at = 0
        for (frames, _), padded in zip(passes, file["seqLengths"][:, column]):
            hidden = numpy.tanh(frames @ params["hidden/W"] + params["hidden/b"])
            check(near(data["hidden"][at:at + len(frames)], hidden), f"hidden at {at}")
            at += padded


def check_runs(folder, params):
    names = sorted(path.name for path in folder.glob("f*.hdf"))
    check(names == ["format-dev-01.hdf", "format-dev-02.hdf", "format-train-01.hdf", "format-train-02.hdf",
                    "function-dev-1.hdf", "function-dev-2.hdf", "function-train-1.hdf", "function-train-2.hdf"], names)
    for name in ("train", "dev"):
        for epoch in (1, 2):
            with h5py.File(folder / f"format-{name}-{epoch:02}.hdf") as file:
                check(file["inputs"].dtype == numpy.int32 and file["inputs"][()].tolist() == sum([labels for _, labels in inputs(name)], []), file["inputs"][()])
            with h5py.File(folder / f"function-{name}-{epoch}.hdf") as file:
                check(near(file["inputs"][()], numpy.concatenate([posteriors(params, x) for x, _ in inputs(name)])), name)


def check_whole(folder, params):
    with h5py.File(folder / "whole.hdf") as file:
        tags = [tag.decode() for tag in file["seqTags"][()]]
        check(all("<->" in tag for tag in tags) and len(tags) == 6, tags)
        check(file["seqLengths"][:, 0].tolist() == [10, 10, 12] * 2, file["seqLengths"][()])
        sizes = file["targets/data/seq_sizes"][()]
        check(sizes.tolist() == [[5], [4], [3], [5], [2], [6]] * 2, sizes)
        rows = file["inputs"][:10].reshape(2, 5, 2)
        for row, (frames, _) in zip(rows, inputs("train")):
            check(near(row[:len(frames)], numpy.tanh(frames @ params["hidden/W"] + params["hidden/b"])), "whole batch")


def check_stats(folder, params):
    """What the last step of the first training pass says, against NumPy."""
    probabilities = numpy.concatenate([posteriors(params, frames) for frames, _ in inputs("train")])
    labels = numpy.concatenate([labels for _, labels in inputs("train")])
    losses = -numpy.log(probabilities[numpy.arange(len(labels)), labels])
    wrong = probabilities.argmax(axis=1) != labels
    lines = [json.loads(line) for line in (folder / "out/metrics.jsonl").read_text().splitlines()]
    (line,) = [line for line in lines if line["type"] == "run" and line["dataset"] == "train" and line["epoch"] == 1]
    stats = line["stats"]
    check(len(stats) == 30, sorted(stats))
    histogram = numpy.bincount(numpy.clip(numpy.round(20 * probabilities[numpy.arange(len(labels)), labels]), 0, 19).astype(int), minlength=20) / len(labels)
    for key, value in {"accumulated_loss_ce": losses.mean(), "accumulated_loss_ce_sil": losses[labels == 0].mean(), "accumulated_loss_ce_no_sil": losses[labels != 0].mean(),
                       "accumulated_frame_error": wrong.mean(), "accumulated_frame_error_no_sil": wrong[labels != 0].mean(), "accumulated_seq_length": len(labels),
                       "accumulated_seq_length_sil": (labels == 0).sum(), "accumulated_loss_perplexity": numpy.exp(losses.mean()),
                       "accumulated_true_label_prob_histogram": histogram}.items():
        check(near(numpy.squeeze(stats["stats:stats:" + key]), value), f"{key}: {stats['stats:stats:' + key]}, expected {value}")
    return stats


def datasets(path):
    result = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: result.update({name: item[()].tolist()}) if isinstance(item, h5py.Dataset) else None)
    return result


def check_equal(one, two):
    """Files of one process and of two, but for rounding: the batches are other ones where they are dumped whole."""
    for path in sorted(one.glob("*.hdf")):
        first, second = datasets(path), datasets(two / path.name)
        if path.name == "whole.hdf":
            check(first["targets/data/seq_sizes"] == second["targets/data/seq_sizes"], path.name)
            continue
        for key in ("seqTags", "inputs", "targets/data/seq_sizes"):
            equal = near(first[key], second[key]) if key == "inputs" else first[key] == second[key]
            check(equal, f"{path.name}: {key}")


def check_extended(wende, folder):
    """A second run appends to once.hdf, or is refused before it trains when the file is not to be extended."""
    before = datasets(folder / "once.hdf")
    text = run(wende, folder, 1, "++num_epochs", "3", status=73)
    check("once.hdf" in text and "exists" in text, text)
    config = (folder / "test.config").read_text().replace('"filename": "once.hdf"', '"filename": "once.hdf", "extend_existing_file": True')
    for name in ("whole.hdf",):
        (folder / name).unlink()
    (folder / "test.config").write_text(config)
    done = subprocess.run([str(Path(wende).resolve()), "test.config", "++num_epochs", "3"], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    check(done.returncode == 0, done.stdout + done.stderr)
    after = datasets(folder / "once.hdf")
    count = len(before["seqTags"])
    check(len(after["seqTags"]) == count + 6 and after["seqTags"][:count] == before["seqTags"], len(after["seqTags"]))
    check(after["inputs"][:len(before["inputs"])] == before["inputs"] and len(after["inputs"]) > len(before["inputs"]), "inputs")


def check_analyze(wende, folder, params):
    for path in folder.glob("*.hdf"):
        path.unlink()
    network = '{"output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"}}'
    text = run(wende, folder, 1, "++load_epoch", "2", "++network", network, "++metrics_file", "None", command="analyze")
    losses = [-numpy.log(posteriors(params, frames)[numpy.arange(len(labels)), labels]) for frames, labels in inputs("dev")]
    mean = re.search(r"^stats:analyze:accumulated_loss_ce: (\S+)$", text, re.M)
    check(mean and near(float(mean.group(1)), numpy.concatenate(losses).mean()), text)
    check("That are all collected stats." in text, text)


def main():
    wende = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        stats = {}
        for ranks in (1, 2):
            folder = Path(name) / str(ranks)
            run(wende, folder, ranks)
            params = parameters(folder)
            check_once(folder, params)
            check_runs(folder, params)
            stats[ranks] = check_stats(folder, params)
        check_whole(Path(name) / "1", parameters(Path(name) / "1"))
        check_equal(Path(name) / "1", Path(name) / "2")
        check(all(near(stats[1][key], stats[2][key]) for key in stats[1] if "accumulated" in key), stats)
        check_extended(wende, Path(name) / "1")
        check_analyze(wende, Path(name) / "1", parameters(Path(name) / "1"))
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

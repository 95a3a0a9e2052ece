#!/usr/bin/python3
"""End to end: the program trains the 12AX task on one and two processes, stops and goes on, evaluates and forwards.

run_e2e.py WENDE
"""
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs/12ax.lstm.config"
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")


class Runner:
    """Runs the config in a folder of its own, by name."""

    def __init__(self, wende, folder):
        self.wende = wende
        self.folder = folder

    def command(self, name, ranks=1, task="train", **options):
        launcher = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
        options = {"model": self.folder / name / "model", "learning_rate_file": self.folder / name / "learning_rates",
                   "num_epochs": 5, **options}
        pairs = [text for key, value in options.items() for text in (f"++{key}", str(value))]
        return launcher + [self.wende, CONFIG, "++task", task] + pairs

    def run(self, name, ranks=1, status=0, **options):
        done = subprocess.run(self.command(name, ranks, **options), env=ENVIRONMENT, cwd=self.folder, capture_output=True, text=True, timeout=300)
        check(done.returncode == status, f"{name}: status {done.returncode}, expected {status}\n{done.stdout}{done.stderr}")
        return done.stdout


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def read_learning_rates(path):
    """Evaluates the file as RETURNN does."""

    def epoch_data(**fields):
        return fields

    return eval(path.read_text(), {"EpochData": epoch_data, "nan": float("nan"), "inf": float("inf")})


def dev_error(text):
    return float(re.findall(r"^dev: score \S+ error (\S+)", text, re.M)[-1])


def parameters(checkpoint):
    """name -> bytes of each tensor of a checkpoint's safetensors files."""
    tensors = {}
    for path in sorted(checkpoint.glob("*.safetensors")):
        content = path.read_bytes()
        (length,) = struct.unpack("<Q", content[:8])
        for name, entry in eval(content[8 : 8 + length], {"true": True, "false": False, "null": None}).items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                tensors[path.name, name] = content[8 + length + begin : 8 + length + end]
    check(tensors, f"no tensors in {checkpoint}")
    return tensors


def test_training_on_one_rank(runner):
    # RETURNN's own test wants 0.015 of its one seed. Between seeds, errors after 5 epochs differ by a factor of ten, hence the median.
    errors = [dev_error(runner.run(f"seed{seed}", random_seed=seed)) for seed in range(1, 10)]
    print("dev errors after 5 epochs, by seed:", " ".join(f"{error:.4f}" for error in errors))
    check(sorted(errors)[4] < 0.015, f"the median of the dev errors {errors} is not below 0.015")


def test_learning_rate_file(runner):
    epochs = read_learning_rates(runner.folder / "seed1/learning_rates")
    check(sorted(epochs) == [1, 2, 3, 4, 5], f"epochs {sorted(epochs)}")
    for data in epochs.values():
        check(data["learningRate"] == 0.01, data)
        check({"train_score", "train_error", "dev_score", "dev_error"} <= set(data["error"]), data)


def test_eval_gives_the_error_of_training(runner):
    epochs = read_learning_rates(runner.folder / "seed1/learning_rates")
    for epoch in (3, 5):
        text = runner.run("seed1", task="eval", load_epoch=epoch)
        check(dev_error(text) == epochs[epoch]["error"]["dev_error"], f"epoch {epoch}: {text} and {epochs[epoch]}")


def test_two_ranks_learn(runner):
    # Two ranks take as many sequences in half as many steps, each twice as large: another course, the same goal.
    text = runner.run("two", ranks=2, num_epochs=10)
    print("dev error of two ranks after 10 epochs:", dev_error(text))
    check(dev_error(text) < 0.03, text)
    check(len(re.findall("^start epoch", text, re.M)) == 10, "rank 0 alone logs")


def test_two_ranks_are_one_with_larger_batches(runner):
    # Without dropout and with the order of the corpus, step k of two ranks is two batches of one rank.
    fixed = {"batching": "default", "network": '{"fw0": {"class": "rec", "unit": "nativelstm", "n_out": 10}, "output": {"class": "softmax", "loss": "ce", "from": ["fw0"]}}',
             "num_epochs": 2}
    one = dev_error(runner.run("union1", max_seqs=20, **fixed))
    two = dev_error(runner.run("union2", ranks=2, max_seqs=10, **fixed))
    check(abs(one - two) < 2e-3, f"one rank: {one}, two ranks: {two}")


# Long enough for a signal that mpirun passes on late.
LONG = {"train": '{"class": "Task12AXDataset", "num_seqs": 3000}', "num_epochs": 4}


def stop_inside_an_epoch(runner, name, ranks):
    process = subprocess.Popen(runner.command(name, ranks, log_verbosity=5, **LONG), env=ENVIRONMENT, cwd=runner.folder, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "train epoch 1, step 20," in line:
            process.send_signal(signal.SIGUSR1)
    check(process.wait(60) == 75, f"{name}: status {process.returncode}, expected 75\n{''.join(lines[-20:])}")
    check((runner.folder / name / "model.mid.wende").is_dir(), "no checkpoint inside the epoch")


def test_resume_is_bit_for_bit(runner):
    for ranks in (1, 2):
        whole, stopped = f"whole{ranks}", f"stopped{ranks}"
        runner.run(whole, ranks, **LONG)
        stop_inside_an_epoch(runner, stopped, ranks)
        text = runner.run(stopped, ranks, **LONG)
        check(re.search(r"Going on in epoch \d after step \d+", text), text)
        expected, resumed = (parameters(runner.folder / name / "model.004.wende") for name in (whole, stopped))
        different = [key for key in expected if resumed.get(key) != expected[key]]
        check(set(expected) == set(resumed) and not different, f"{ranks} ranks: other values after resume: {different}")
        check(scores(runner, whole) == scores(runner, stopped), f"{ranks} ranks: other scores after resume")


def scores(runner, name):
    """What the learning-rate file says, less the times."""
    epochs = read_learning_rates(runner.folder / name / "learning_rates")
    return {epoch: {key: value for key, value in data["error"].items() if "secs" not in key} for epoch, data in epochs.items()}


def content(path):
    values = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: values.__setitem__(name, item[...]) if isinstance(item, h5py.Dataset) else None)
        values["attributes"] = sorted((key, str(value)) for key, value in file.attrs.items())
    return values


def test_forward_is_the_same_for_two_ranks(runner):
    dumps = []
    for ranks in (1, 2):
        path = runner.folder / f"posteriors.{ranks}.hdf"
        runner.run("seed1", ranks, task="forward", output_file=path)
        dumps.append(content(path))
    one, two = dumps
    check(set(one) == set(two), f"{sorted(one)} and {sorted(two)}")
    for name in one:
        check(numpy.array_equal(one[name], two[name]), f"forward on two ranks: '{name}' differs")
    check(len(one["seqTags"]) == 100 and one["inputs"].shape == (one["seqLengths"][:, 0].sum(), 2), "shape of the dump")
    check(numpy.allclose(one["inputs"].sum(axis=1), 1, atol=1e-5), "posteriors sum to one")


def test_forward_overwrites_if_told(runner):
    path = runner.folder / "posteriors.1.hdf"
    before = content(path)
    runner.run("seed1", status=73, task="forward", output_file=path)
    path.write_bytes(b"other")
    runner.run("seed1", task="forward", output_file=path, forward_override_hdf_output=True)
    check(all(numpy.array_equal(content(path)[name], before[name]) for name in before), "the file is as it was")


def test_initial_model(runner):
    """As RETURNN's, "epoch 0": a training that loads it is the one that wrote it. Nothing takes it for an epoch."""
    options = {"num_epochs": 1, "train": '{"class": "Task12AXDataset", "num_seqs": 20}', "cleanup_old_models": {"keep": [], "keep_last_n": 1, "keep_best_n": 0}}
    runner.run("initial", save_epoch1_initial_model=True, **options)
    first = runner.folder / "initial" / "model.000.wende"
    runner.run("from_initial", import_model_train_epoch1=first, random_seed=17, learning_rate=0, **options)
    tensors = [(runner.folder / name / "params.safetensors").read_bytes() for name in ("initial/model.000.wende", "from_initial/model.001.wende", "initial/model.001.wende")]
    check(tensors[0] == tensors[1] and tensors[0] != tensors[2], "initial values")
    check(not (runner.folder / "from_initial" / "model.000.wende").exists(), "only where it is asked for")


def main():
    wende = str(Path(sys.argv[1]).resolve())
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(wende, Path(folder))
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                start = time.monotonic()
                try:
                    test(runner)
                    verdict = "ok"
                except (AssertionError, subprocess.TimeoutExpired) as error:
                    verdict = f"FAILED: {error}"
                    failed.append(name)
                print(f"{name}: {verdict} ({time.monotonic() - start:.1f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

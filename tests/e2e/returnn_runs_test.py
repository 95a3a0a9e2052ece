#!/usr/bin/python3
"""Whole trainings against RETURNN's own: the entries of the learning-rate file and the items of a step's line in the log, names, order and numbers.

returnn_runs_test.py WENDE
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from run_e2e import ENVIRONMENT, check, read_learning_rates

RUNS = Path(__file__).resolve().parent / "returnn_runs"
OF_THE_CLOCK = ":meta:epoch_train_time_secs"


def near(a, b):
    return a == b or abs(a - b) <= 1e-4 * max(abs(b), 1e-3) or (a != a and b != b)


def numbers(text):
    """Names and numbers of a step's line; lists count as one text."""
    items = re.sub(r"\[[^\]]*\]", "list", text).split(", ")
    return [(item.rsplit(" ", 1)[0], item.rsplit(" ", 1)[1]) for item in items]


def compare_steps(found, expected, name):
    found = numbers(found.split(", ", 2)[2])
    expected = numbers(expected.split(", ", 2)[2])
    check([key for key, _ in found[:len(expected)]] == [key for key, _ in expected], f"{name}: {found}\n{expected}")
    for (key, value), (_, other) in zip(found, expected):
        check(value == other or near(float(value), float(other)), f"{name}: {key} {value}, RETURNN has {other}")


def returnn_models(wende):
    """RETURNN's own checkpoints of a run with pretraining: evaluated, and as the start of another training."""
    config = RUNS / "pretrain-growing.config"
    rates = read_learning_rates(config.with_suffix(".rates"))
    with tempfile.TemporaryDirectory() as folder:
        model = shutil.copytree(RUNS / "model", Path(folder) / "returnn") / "net"  # an evaluation writes its metrics there
        for epoch, options in ((8, ["++load_epoch", "8"]), (5, ["++load_epoch", "5"]), (8, ["++load", f"{model}.008"])):
            done = subprocess.run([wende, config, "++task", "eval", "++model", model, *options], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, cwd=folder)
            check(done.returncode == 0, done.stdout + done.stderr)
            score, error = map(float, re.search(r"dev: score (\S+) error (\S+)", done.stdout).groups())
            check(near(score, rates[epoch]["error"]["dev_score"]) and near(error, rates[epoch]["error"]["dev_error"]), f"{epoch}: {done.stdout}")
        preload = {"encoder": {"filename": f"{model}.008", "init_for_train": True, "ignore_params_prefixes": ["output/"]}}
        for options, first in ((["++import_model_train_epoch1", f"{model}.008"], "Starting from"), (["++preload_from_files", repr(preload)], "loading weights")):
            options += ["++model", f"{folder}/net", "++pretrain", "None", "++learning_rates", "[0.0]", "++num_epochs", "1"]
            done = subprocess.run([wende, config, *options], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, cwd=folder)
            check(done.returncode == 0 and first in done.stdout + done.stderr, done.stdout + done.stderr)
            score = float(re.search(r"dev: score (\S+) error", done.stdout)[1])
            check(near(score, rates[8]["error"]["dev_score"]) == (first == "Starting from"), done.stdout)
            shutil.rmtree(f"{folder}/net.001.wende")
        damaged = bytearray(Path(f"{model}.008.data-00000-of-00001").read_bytes())
        damaged[100] ^= 1
        (Path(folder) / "bad.008.data-00000-of-00001").write_bytes(damaged)
        shutil.copy(f"{model}.008.index", f"{folder}/bad.008.index")
        done = subprocess.run([wende, config, "++task", "eval", "++load", f"{folder}/bad.008"], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, cwd=folder)
        check(done.returncode == 65 and "CRC32C" in done.stderr, done.stdout + done.stderr)
    print("models that RETURNN saved: its scores")


def main():
    returnn_models(str(Path(sys.argv[1]).resolve()))
    wende = str(Path(sys.argv[1]).resolve())
    for config in sorted(RUNS.glob("*.config")):
        with tempfile.TemporaryDirectory() as folder:
            options = ["++model", f"{folder}/net", "++learning_rate_file", f"{folder}/rates"]
            done = subprocess.run([wende, config, *options], env=ENVIRONMENT, capture_output=True, text=True, timeout=300, cwd=RUNS.parents[1] / "data")
            check(done.returncode == 0, done.stdout + done.stderr)
            found = read_learning_rates(Path(folder) / "rates")
        expected = read_learning_rates(config.with_suffix(".rates"))
        check(sorted(found) == sorted(expected), f"{config.name}: epochs {sorted(found)}")
        for epoch, data in expected.items():
            check(found[epoch]["learningRate"] == data["learningRate"], f"{config.name}: {found[epoch]}")
            check(list(found[epoch]["error"]) == list(data["error"]), f"{config.name}: {list(found[epoch]['error'])}\n{list(data['error'])}")
            for key, value in data["error"].items():
                check(key == OF_THE_CLOCK or near(found[epoch]["error"][key], value), f"{config.name}: {key} {found[epoch]['error'][key]}, RETURNN has {value}")
        if not config.with_suffix(".step").exists():
            print(f"{config.name}: as RETURNN's over {len(expected)} epochs")
            continue
        line = re.search(r"^(?:pre)?train epoch 1, step 0, .*$", done.stdout, re.M)[0]
        compare_steps(line, config.with_suffix(".step").read_text().strip(), config.name)
        print(f"{config.name}: as RETURNN's over {len(expected)} epochs")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Each config of configs/ takes two training steps on one and on two ranks, and evaluates.

configs_test.py WENDE
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from run_e2e import check, read_learning_rates

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1")


def smaller(options, sequences):
    """The same dataset with so few sequences. The data in tests/data have 100 (train) and 20 (dev)."""
    if "num_seqs" in options:
        return {**options, "num_seqs": sequences}
    count = 100 if "train" in options["files"][0] else 20
    return {**options, "seq_ordering": "sorted", "partition_epoch": count // sequences}  # the shortest


def run(wende, config, ranks, folder):
    names = {}
    exec(compile(config.read_text(), str(config), "exec"), names)
    options = {"train": smaller(names["train"], 8), "dev": smaller(names["dev"], 2), "num_epochs": 1, "max_seqs": 2 // ranks,
               "model": folder / "model", "learning_rate_file": folder / "rates"}
    launcher = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
    pairs = [word for key, value in options.items() for word in (f"++{key}", str(value))]
    done = subprocess.run(launcher + [wende, config, *pairs], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=600)
    check(done.returncode == 0, f"{config.name} on {ranks}: status {done.returncode}\n{done.stdout}{done.stderr}")
    scores = read_learning_rates(folder / "rates")[1]["error"]
    check(scores[":meta:epoch_num_train_steps"] >= 2, f"{config.name} on {ranks}: {scores}")
    # Meta losses are reported times their number of elements: no bound holds for them.
    values = {key: value for key, value in scores.items() if key.startswith(("train_", "dev_")) and not key.endswith("/synthetic_grad")}
    check({"train_score", "dev_score"} <= {key[:key.index("score") + 5] for key in values if "score" in key} and all(0 <= value < 100 for value in values.values()), f"{config.name} on {ranks}: {scores}")
    return values


def main():
    wende = str(Path(sys.argv[1]).resolve())
    configs = sorted((ROOT / "configs").glob("*.config"))
    check(len(configs) >= 5, "configs/ has lost its files")
    for config in configs:
        for ranks in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                print(f"{config.name} on {ranks}: {run(wende, config, ranks, Path(folder))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

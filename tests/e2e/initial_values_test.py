#!/usr/bin/python3
"""Parameters start with RETURNN's own values: recorded by tests/golden/recorder/record_initial_values.py.

initial_values_test.py WENDE
"""
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from run_e2e import ENVIRONMENT, check

CONFIGS = Path(__file__).resolve().parent / "initial_values"
DATA = '{"class": "DummyDataset", "input_dim": 40, "output_dim": 51, "num_seqs": 2}'
# The batch's statistics go into these in the first step.
OF_THE_DATA = ("_mean", "_variance")


def read_parameters(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    params = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            params[name] = np.frombuffer(data[8 + size + begin:8 + size + end], np.float32).reshape(entry["shape"])
    return params


def compare(name, values, expected):
    flat = values.astype(np.float64).ravel()
    check(list(values.shape) == expected["shape"], f"{name}: shape {values.shape}, RETURNN has {expected['shape']}")
    some = flat[:: max(1, len(flat) // 4)][:5]
    # Uniform numbers have the same bits; normal ones go through log, sin and cos.
    near = np.allclose(some, expected["some"], rtol=1e-6, atol=2e-7)
    check(near, f"{name}: {some.tolist()}, RETURNN has {expected['some']}")
    for key, value in (("sum", flat.sum()), ("squares", (flat * flat).sum())):
        check(abs(value - expected[key]) <= 1e-7 * len(flat), f"{name}: {key} {value}, RETURNN has {expected[key]}")


def main():
    wende = str(Path(sys.argv[1]).resolve())
    for config in sorted(CONFIGS.glob("*.config")):
        with tempfile.TemporaryDirectory() as folder:
            options = ["++model", f"{folder}/net", "++learning_rate", "0", "++train", DATA]
            done = subprocess.run([wende, config, *options], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, cwd=folder)
            check(done.returncode == 0, done.stdout + done.stderr)
            found = read_parameters(Path(folder) / "net.001.wende" / "params.safetensors")
        expected = json.loads(config.with_suffix(".json").read_text())
        check(sorted(found) == sorted(expected), f"{config.name}: {sorted(found)}")
        compared = [name for name in expected if not name.endswith(OF_THE_DATA)]
        for name in compared:
            compare(f"{config.name}: {name}", found[name], expected[name])
        print(f"{config.name}: {len(compared)} parameters start as RETURNN's")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""`wende inspect` on changed copies of HDF5 files: each is shown or refused with 65, also where libhdf5 itself crashes.

inspect_mutations_test.py WENDE [COUNT]
"""
import collections
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def mutated(data, dice):
    data = bytearray(data)
    for _ in range(dice.randint(1, 8)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


def main():
    wende, count = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 150
    dice, statuses = random.Random(3), collections.Counter()
    good = [path.read_bytes() for path in sorted((HERE / "corpus/hdf").iterdir())]
    crashing = [path.read_bytes() for path in sorted((HERE / "crashing").iterdir())]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.hdf"
        for i in range(count):
            data = crashing[i] if i < len(crashing) else mutated(dice.choice(good), dice)
            path.write_bytes(data)
            run = subprocess.run([wende, "inspect", path], capture_output=True, text=True, errors="replace", timeout=60)
            statuses[run.returncode] += 1
            assert run.returncode in (0, 65), f"number {i}: status {run.returncode}\n{run.stderr}"
            assert run.returncode == 0 or "x.hdf" in run.stderr, run.stderr
            if i < len(crashing):
                assert run.returncode == 65, run  # libhdf5 1.10.8 crashes
    assert statuses[65] > count // 10, statuses
    print(", ".join(f"{number} x status {status}" for status, number in sorted(statuses.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Layers are moved out of loops as RETURNN moves them: partition_test.py WENDE CASES_FOLDER... (more folders: more cases)

partition.json has RETURNN's own lists, written by recorder/record_partition.py. Wende's are read from the log of a replay.
RETURNN lists the layers of subnetworks ("sub/h") as well, which go where their subnetwork goes; they are left out here.
The order within a list is not compared: RETURNN starts from a Python set of names, whose order changes from run to run.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import run_golden

TITLES = {"Input layers moved out of loop": "before", "Output layers moved out of loop": "after", "Layers in loop": "inside"}


# What Wende does otherwise, with the same numbers.
DIFFERENT = {
    "1151_test_MaskedComputationLayer_subnet_rec_search": "a masked_computation, and what reads it, stays in the loop",
    "1102_test_reclayer_prev_in_subnet": "a subnetwork with a prev: inside stays in the loop as a whole",
}


def partitions_in(log):
    """{rec layer: lists} of the training network."""
    found = {}
    lists, current = None, None
    for line in log.splitlines():
        if match := re.match(r"Rec layer '(.*)' \(search False, train (True|False)\) sub net:", line):
            lists = found.setdefault(match[1], {}) if match[2] == "True" else {}
            current = None
        elif match := re.match(r"  (\S.*): \(#: \d+\)", line):
            current = lists.setdefault(TITLES[match[1]], []) if match[1] in TITLES else []
        elif current is not None and line.startswith("    "):
            current.extend([line.strip()] if line.strip() != "None" else [])
    return found


def comparable(lists):
    return {key: sorted(name for name in names if "/" not in name) for key, names in (lists or {}).items()}


def log_of_replay(wende, case, folder):
    given = folder / (case.name + ".full.h5")
    status, text = run_golden.call(run_golden.expand_params.main, case, given)
    if status != 0:
        sys.exit(f"{case}: {text[-300:]}")
    run = subprocess.run([wende, "replay", given, "--out", folder / "out.h5"], capture_output=True, text=True, timeout=300)
    return run.stdout + run.stderr


def main():
    wende, folders = sys.argv[1], [Path(name) for name in sys.argv[2:]]
    expected = json.loads((Path(__file__).parent / "partition.json").read_text())
    faults, compared = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        for name, loops in expected.items():
            case = next((path for path in (f / f"{name}.golden.h5" for f in folders) if path.exists()), None)
            if not case or name in DIFFERENT:
                continue
            found = partitions_in(log_of_replay(wende, case, Path(scratch)))
            for loop, lists in loops.items():
                compared += 1
                if comparable(lists) != comparable(found.get(loop)):
                    faults.append(f"{name}, loop '{loop}':\n  RETURNN {comparable(lists)}\n  Wende   {comparable(found.get(loop))}")
    print("\n".join(faults + [f"{compared} loops compared, {len(faults)} differ"]))
    return 1 if faults or compared == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

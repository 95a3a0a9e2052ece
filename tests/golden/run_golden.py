#!/usr/bin/env python3
"""Replays golden cases and compares every number with RETURNN's.

run_golden.py WENDE CASES_FOLDER [--list PASSING.txt] [--device gpu] [--ranks N] [--limit SECONDS] [CASE ...]
With --list: every case named there must pass; further ones that pass are reported, so that the list can grow.
With --ranks: the sequences are shared by so many processes; of cases with a loss, losses, gradients and parameters must be RETURNN's all the same. Lines of
NOT_BY_SHARES (a case, why) name those whose numbers are not sums over sequences.
"""
import argparse
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import compare
import expand_params
import h5py

OF_ALL_RANKS = ("losses", "total", "grads", "grads_processed", "grads_eval", "after", "params", "config", "inputs")
NOT_BY_SHARES = Path(__file__).resolve().parent / "not_by_shares.txt"
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}


def without_outputs(case, path):
    """The case as it is for several ranks: what is the sum of theirs."""
    shutil.copy(case, path)
    with h5py.File(path, "a") as file:
        for name in set(file) - set(OF_ALL_RANKS):
            del file[name]
        for step in file.get("after", {}).values():
            if "meta" in step:
                del step["meta"]
    return path


def has_loss(case):
    with h5py.File(case) as file:
        return "losses" in file


def call(main, *arguments):
    """Status and output of a script's main(), in this process: starting Python anew would take most of the time."""
    sys.argv = [main.__module__, *map(str, arguments)]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        try:
            status = main()
        except Exception:
            traceback.print_exc(file=output)
            status = 1
    return status, output.getvalue()


def run_case(wende, case, folder, device="cpu", limit=300, ranks=1):
    """Returns "" if all numbers agree, else what went wrong, in a few lines."""
    given = folder / (case.name + ".full.h5")
    out = folder / (case.name + ".out.h5")
    status, text = call(expand_params.main, case, given)
    if status != 0:
        return "expand_params: " + text[-300:]
    command = [wende, "replay", given, "--out", out, "--device", device]
    if ranks > 1:
        command = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none", *command]
        case = without_outputs(case, folder / case.name)
    try:
        replay = subprocess.run(command, capture_output=True, text=True, timeout=limit, env={**os.environ, **MPI} if ranks > 1 else None)
    except subprocess.TimeoutExpired:
        return f"replay: not done after {limit} seconds"
    if replay.returncode != 0:
        return f"replay: status {replay.returncode}: {(replay.stdout + replay.stderr)[:600]}"
    status, text = call(compare.main, case, out)
    given.unlink()
    out.unlink()
    return "" if status == 0 else text[-1200:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wende")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    wanted = args.list.read_text().split() if args.list else args.cases
    files = {path.name.replace(".golden.h5", ""): path for path in sorted(args.folder.glob("*.golden.h5"))}
    names = wanted or list(files)
    if args.ranks > 1:
        left_out = {line.split()[0] for line in NOT_BY_SHARES.read_text().splitlines() if line}
        names = [name for name in names if name not in left_out and has_loss(files[name])]
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            fault = run_case(args.wende, files[name], Path(folder), args.device, args.limit, args.ranks) if name in files else "no such case"
            if fault:
                failed.append(name)
            print(f"{'FAIL' if fault else 'pass'} {name}" + (f"\n{fault}" if fault and args.verbose or fault and args.list else ""), flush=True)
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

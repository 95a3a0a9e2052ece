#!/usr/bin/env python3
"""Replays golden cases and compares every number with RETURNN's.

run_golden.py WENDE CASES_FOLDER [--list PASSING.txt] [--device gpu] [--limit SECONDS] [CASE ...]
With --list: every case named there must pass; further ones that pass are reported, so that the list can grow.
"""
import argparse
import contextlib
import io
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import compare
import expand_params


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


def run_case(wende, case, folder, device="cpu", limit=300):
    """Returns "" if all numbers agree, else what went wrong, in a few lines."""
    given = folder / (case.name + ".full.h5")
    out = folder / (case.name + ".out.h5")
    status, text = call(expand_params.main, case, given)
    if status != 0:
        return "expand_params: " + text[-300:]
    command = [wende, "replay", given, "--out", out, "--device", device]
    try:
        replay = subprocess.run(command, capture_output=True, text=True, timeout=limit)
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
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    wanted = args.list.read_text().split() if args.list else args.cases
    files = {path.name.replace(".golden.h5", ""): path for path in sorted(args.folder.glob("*.golden.h5"))}
    names = wanted or list(files)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            fault = run_case(args.wende, files[name], Path(folder), args.device, args.limit) if name in files else "no such case"
            if fault:
                failed.append(name)
            print(f"{'FAIL' if fault else 'pass'} {name}" + (f"\n{fault}" if fault and args.verbose or fault and args.list else ""), flush=True)
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

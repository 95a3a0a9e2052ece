#!/usr/bin/env python3
"""Replays golden cases and compares every number with RETURNN's.

run_golden.py WENDE CASES_FOLDER [--list PASSING.txt] [CASE ...]
With --list: every case named there must pass; further ones that pass are reported, so that the list can grow.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def run_case(wende, case, folder):
    """Returns "" if all numbers agree, else what went wrong, in a few lines."""
    given = folder / (case.name + ".full.h5")
    out = folder / (case.name + ".out.h5")
    expand = subprocess.run([sys.executable, HERE / "expand_params.py", case, given], capture_output=True, text=True)
    if expand.returncode != 0:
        return "expand_params: " + (expand.stdout + expand.stderr)[-300:]
    replay = subprocess.run([wende, "replay", given, "--out", out], capture_output=True, text=True, timeout=300)
    if replay.returncode != 0:
        return f"replay: status {replay.returncode}: {(replay.stdout + replay.stderr)[:600]}"
    compare = subprocess.run([sys.executable, HERE / "compare.py", case, out], capture_output=True, text=True)
    given.unlink()
    out.unlink()
    return "" if compare.returncode == 0 else compare.stdout[-1200:] + compare.stderr[-300:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wende")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", type=Path)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    wanted = args.list.read_text().split() if args.list else args.cases
    files = {path.name.replace(".golden.h5", ""): path for path in sorted(args.folder.glob("*.golden.h5"))}
    names = wanted or list(files)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            fault = run_case(args.wende, files[name], Path(folder)) if name in files else "no such case"
            if fault:
                failed.append(name)
            print(f"{'FAIL' if fault else 'pass'} {name}" + (f"\n{fault}" if fault and args.verbose or fault and args.list else ""), flush=True)
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

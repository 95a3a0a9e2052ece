#!/usr/bin/env python3
"""Lets RETURNN and Wende compute the same small nets, and prints each that differs.

differential.py WENDE NETS.py ... [--keep FOLDER] [--all]

RETURNN records a net (layer outputs, losses, gradients, parameters after three steps), Wende replays it, every number is compared. What RETURNN refuses is no net;
what Wende refuses is a difference. Recordings stay in the folder of --keep and are not made again: after a repair only Wende runs.
Needs an interpreter that has RETURNN, TensorFlow and h5py: this one or that of WENDE_RETURNN_PYTHON. How to write NETS.py: net_file.py.
"""
import argparse
import collections
import os
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "golden"), str(HERE.parent / "golden" / "recorder")]
import net_file  # noqa: E402

COMPLETE = 0
RECORDED = (COMPLETE, 6, 7)  # the recorder's statuses with a file: all, no training, no update
SECONDS = 200


def record(net, folder):
    """(the recording or None, what RETURNN says)."""
    import record_case
    import run_all

    refusal = folder / f"{net.name}.refused"
    path = folder / f"{net.name}.golden.h5"
    if path.exists():
        return path, ""
    if refusal.exists():
        return None, refusal.read_text()
    message = ""
    for config in net.configs:
        source = folder / f"{net.name}.py"
        source.write_text(config)
        status, message, _ = run_all.run_forked(record_case, [str(source), "-o", str(path)], SECONDS)
        if status in RECORDED and path.exists():
            return path, ""
    refusal.write_text(message)
    return None, message


def difference(wende, path, folder):
    """What differs in a recorded net, in a few lines; "" if nothing does."""
    import h5py
    import run_golden

    fault = run_golden.run_case(wende, path, folder)
    with h5py.File(path) as file:
        if "DIFF" not in fault and not file.attrs["complete"]:
            return ""  # neither of them can train it
    lines = [line for line in fault.splitlines() if line.strip()]
    first = [line for line in lines if "DIFF outputs/eval/x:" in line] or lines
    return "\n".join([*first[:2], *lines[-1:]]) if "DIFF" in fault else fault


def try_file(wende, path, keep, show_refused):
    """Counts: nets, refused by RETURNN, differing or refused by Wende."""
    count = collections.Counter()
    for net in net_file.read_nets(path):
        count["nets"] += 1
        recording, refusal = record(net, keep)
        if recording is None:
            count["refused by RETURNN"] += 1
            if show_refused:
                print(f"-- {net.text}\n   {refusal[:200]}", flush=True)
            continue
        with tempfile.TemporaryDirectory() as scratch:
            fault = difference(wende, recording, Path(scratch))
        if fault:
            count["differ"] += 1
            indented = re.sub(r"^", "   ", fault, flags=re.MULTILINE)
            print(f"## {net.text}   [{recording.name}]\n{indented}", flush=True)
    print(f"{Path(path).name}: {count['nets']} nets, {count['refused by RETURNN']} refused by RETURNN, {count['differ']} differ", flush=True)
    return count


def with_returnn():
    """Goes on in the interpreter of WENDE_RETURNN_PYTHON. False if RETURNN cannot be imported there."""
    python = os.environ.pop("WENDE_RETURNN_PYTHON", None)
    if python:
        os.execv(python, [python, *sys.argv])
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    try:
        import record_case

        record_case.preload()
    except ImportError as missing:
        print(f"skipped: {missing} (pip install returnn tensorflow-cpu==2.15.1; WENDE_RETURNN_PYTHON names the interpreter)")
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wende")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--all", action="store_true", help="print what RETURNN refuses, too")
    args = parser.parse_args()
    if not with_returnn():
        return 77
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        keep = args.keep or Path(folder)
        keep.mkdir(parents=True, exist_ok=True)
        for path in args.files:
            total += try_file(os.path.abspath(args.wende), path, keep, args.all)["differ"]
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())

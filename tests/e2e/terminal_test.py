#!/usr/bin/python3
"""The live line is there on a terminal, and nowhere else.

terminal_test.py WENDE
"""
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from run_e2e import CONFIG, check


def run(wende, folder, stderr):
    command = [wende, CONFIG, "++model", f"{folder}/model", "++learning_rate_file", f"{folder}/rates", "++num_epochs", "1"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=stderr, env={**os.environ, "OMP_NUM_THREADS": "1"})


def on_terminal(wende, folder):
    """What a terminal sees of stderr."""
    ours, theirs = pty.openpty()
    process = run(wende, folder, theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    process.communicate()
    check(process.returncode == 0, shown.decode())
    return shown.decode()


def main():
    wende = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        shown = on_terminal(wende, folder)
    lines = re.findall(r"\r\x1b\[K([^\r]*)", shown)
    live = [line for line in lines if line]
    check(len(live) > 10 and all("train epoch 1, step " in line or "eval" in line for line in live), shown[:500])
    check(all(re.search(r"step \d+ of \d+, [\d.]+%, exp\. remaining \d+:\d\d:\d\d, output \d", line) for line in live), live[0])
    check(all(len(line) < 80 for line in live), max(live, key=len))
    check(lines[-1] == "", "the live line stays on the screen")
    with tempfile.TemporaryDirectory() as folder:
        out, err = run(wende, folder, subprocess.PIPE).communicate()
    check(err == b"" and b"\r" not in out, f"without a terminal: {err!r}")
    print(f"{len(live)} live lines, e.g. {live[5]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

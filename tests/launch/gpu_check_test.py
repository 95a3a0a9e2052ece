#!/usr/bin/env python3
"""launch/gpu-check.sh with stand-ins for all that it starts: one failing or hanging step hides no other's results.

It may have one chance on a real GPU, where nobody can look what went wrong.
"""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROGRAMS = {
    "build/cuda/wende": "exit 0",
    "build/cuda/tests/ops_test": """case "$*$WENDE_NO_CUDNN" in *gtest_filter*1) echo "[  FAILED  ] Lstm.X"; exit 1 ;; esac
        echo '[       OK ] A.B (1 ms)'""",
    "build/cuda/tests/optim_test": "exit 0",
    "build/cuda/tests/network_test": "sleep 100",
    "build/cuda/bench/wende_bench_step": "exit 0",
    "build/cuda/bench/wende_bench_kernels_gpu": "echo '| softmax | 91 % |'",
    "bench/race.sh": """case $3 in blstm) echo broken; exit 3 ;; esac
        echo "== $3"; echo "ratio 1.23" """,
    "tools/nvidia-smi": """case "$*" in
        *compute_cap,*) echo 'NVIDIA H100, 9.0, 580.1, 81559 MiB' ;;
        *compute_cap*) echo 9.0 ;;
        *) echo 'GPU 0' ;; esac""",
    "tools/compute-sanitizer": """case "$*" in
        *racecheck*) echo '========= ERROR: Race reported between Write and Read'; exit 86 ;;
        *initcheck*) echo '[       OK ] A.B (1 ms)'; sleep 100 ;; esac
        while [ "${1#*ops_test}" = "$1" ]; do shift; done; exec "$@" """,
    "tools/nsys": """case $1 in
        profile) while [ "$1" != -o ]; do shift; done; touch "$2.nsys-rep" ;;
        stats) echo 'Start (ns),Duration (ns),Name'; echo '1000,900,"a, b"'; echo '1500,450,c'; echo '2000,100,d' ;; esac""",
    "tools/cmake": "exit 0",
    "tests/golden/run_golden.py": None,
}


def make_world(folder):
    for name, script in PROGRAMS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n" if script else "import sys\nprint('pass', open(sys.argv[sys.argv.index('--list') + 1]).read().split())\n")
        path.chmod(0o755)
    for name in ("launch/gpu-check.sh", "tests/golden/passing_cuda.txt", "tests/golden/passing_cuda_slow.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def check(folder, *stages, seconds):
    results = folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir()
    # The script puts /usr/bin first: what stands in for programs there must be found before.
    text = (folder / "launch/gpu-check.sh").read_text().replace('export PATH="', f'export PATH="{folder}/tools:')
    script = folder / "launch/check.sh"
    script.write_text(text)
    start = time.monotonic()
    done = subprocess.run(["bash", script, *stages], capture_output=True, text=True, timeout=120, cwd=folder,
                          env={**os.environ, "OUT": str(results), "GPU_CHECK_SECONDS": str(seconds)})
    took = time.monotonic() - start
    found = (results / "results.md").read_text()
    with tarfile.open(results / "logs.tar.gz") as logs:
        names = [Path(name).name for name in logs.getnames()]
    return done, took, found, names


def all_stages(folder):
    """A test that hangs, one that fails, a race that breaks, a tool with findings and one that takes too long."""
    done, took, found, names = check(folder, seconds=30)
    assert done.returncode != 0 and took < 50, (done, took)
    wanted = ["ops                  ok", "ops-own-kernels      FAILED", "layers               FAILED", "golden               ok",
              "ended after its", "| softmax | 91 % |", "== ff", "race-blstm           FAILED", "ratio 1.23", "kernels              ok"]
    for text in wanted:
        assert text in found, (text, found, done.stdout, done.stderr)
    assert {"kernels.log", "layers.log", "race-lstm.log", "summary.txt"} <= set(names), names


def late_stages(folder):
    done, _, found, _ = check(folder, "profile", "sanitize", seconds=20)
    wanted = ["ff.nsys-rep: 3 operations on the GPU in 0.001 ms, 4.5 % of that time idle", "memcheck             3 tests", "racecheck            0 tests, findings:",
              "ERROR: Race reported", "initcheck            3 tests", "racecheck-0          FAILED", "initcheck-2          FAILED", "synccheck-1          ok"]
    for text in wanted:
        assert text in found, (text, found, done.stdout, done.stderr)


def nothing_built(folder):
    (folder / "build/cuda/wende").unlink()
    done, _, found, _ = check(folder, seconds=10)
    assert done.returncode == 1 and "there is no built program" in found, (done, found)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_world(folder)
        for part in (all_stages, late_stages, nothing_built):
            part(folder)
            print("ok", part.__name__)


if __name__ == "__main__":
    sys.exit(main())

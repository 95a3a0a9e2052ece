#!/usr/bin/env python3
"""What users are told when a GPU cannot be had: none there, a wrong number, two ranks on one, an unknown name.

device_choice_test.py WENDE     an emulated build: CUDASIM_DEVICES says how many GPUs there are
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIG = """
task = "train"
train = {"class": "Task12AXDataset", "num_seqs": 4, "fixed_random_seed": 1}
num_inputs = 9
num_outputs = 2
network = {"output": {"class": "softmax", "loss": "ce", "from": "data"}}
batch_size = 1000
max_seqs = 2
num_epochs = 1
"""


def run(wende, folder, gpus, *options, ranks=1, **variables):
    config = folder / "small.config"
    config.write_text(CONFIG + f'model = "{folder}/model"\n')
    launcher = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    environment = {**os.environ, "CUDASIM_DEVICES": str(gpus), **variables}
    done = subprocess.run([*launcher, wende, config, *options], capture_output=True, text=True, timeout=120, env=environment)
    return done.returncode, done.stdout + done.stderr


def main():
    wende = sys.argv[1]
    flags = Path("/proc/cpuinfo").read_text().split()
    amx = all(flag in flags for flag in ("amx_tile", "amx_bf16", "avx512bw"))
    on_processor = "products round" if amx else "not on this processor (no AMX)"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for gpus, options, ranks, expected in (
            (0, ["--device", "gpu"], 1, "there is no GPU that this process can see"),
            ("none", ["--device", "gpu"], 1, "there is no NVIDIA driver, or it is too old"),
            (1, ["--device", "gpu:3"], 1, "there is no GPU 3: this process sees 1"),
            (1, ["--device", "tpu"], 1, "there is no device 'tpu'"),
            (1, ["--matmul-precision", "fp8"], 1, "matmul_precision is 'fp8'"),
            (1, ["--device", "gpu"], 2, "ranks 0 and 1 have the same GPU"),
        ):
            status, text = run(wende, folder, gpus, *options, ranks=ranks)
            assert status == 2, (status, text)
            assert expected in text, (expected, text)
        status, text = run(wende, folder, 1, "--device", "gpu", CUDASIM_NO_CODE="1")
        assert status == 2 and "this binary has no code for emulated GPU" in text, (status, text)
        for gpus, options, expected in (
            (2, ["--device", "gpu:1"], "GPU 1: "),
            (1, ["++device", "cpu"], "local rank 0, cpu,"),
            (0, [], "local rank 0, cpu,"),
            ("none", [], "local rank 0, cpu,"),
            (1, [], "GPU 0: "),
            (1, ["--matmul-precision", "tf32"], "matmul_precision = 'tf32': products round"),
            (0, ["++matmul_precision", "bfloat16"], f"matmul_precision = 'bfloat16': {on_processor}"),
        ):
            status, text = run(wende, folder, gpus, *options)
            assert status == 0, (status, text)
            assert expected in text, (expected, text)
    print("14 choices of a device and its precision: as documented")


if __name__ == "__main__":
    main()

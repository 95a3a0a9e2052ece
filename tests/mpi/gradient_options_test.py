#!/usr/bin/env python3
"""Options of how ranks sum gradients change speed and memory, not what is learned.

gradient_options_test.py WENDE [--device gpu]

shard_optimizer: losses, parameters and the optimiser's state in the checkpoints are those without it, and a run goes on
from a checkpoint of the other kind. gradient_wire_dtype = "bfloat16": the first update stays within the rounding.
NCCL (gpu): an error of one rank ends all, with its name and the bucket.
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rank_equality_test import CONFIG, read_safetensors

FEW = 'train["num_seqs"] = 24\ndev["num_seqs"] = 4\n'  # an emulated GPU is slow
DEVICE = "gpu" if sys.argv[2:] == ["--device", "gpu"] else "cpu"


def run(wende, ranks, folder, name, options, status=0, **variables):
    """A model's run from where it is; its output."""
    config = folder / f"{name}.config"
    config.write_text(CONFIG % "" + f'model = "{folder / name}"\nmax_seqs = {6 // ranks}\n' + options)
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), wende, config, "--device", DEVICE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, env={**os.environ, **variables})
    assert (done.returncode == 0) == (status == 0), (done.returncode, done.stdout + done.stderr)
    return done.stdout + done.stderr


def checkpoint(folder, name, epoch):
    path = folder / f"{name}.{epoch:03d}.wende"
    return {f"{file.stem}/{key}": value for file in sorted(path.glob("*.safetensors")) for key, value in read_safetensors(file).items()}


def same(found, expected, what, rtol=1e-5, atol=1e-7):
    assert sorted(found) == sorted(expected), (what, sorted(found), sorted(expected))
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=rtol, atol=atol, err_msg=f"{key}: {what}")


def shards(wende, folder):
    shard = "shard_optimizer = True\n"
    two = "num_epochs = 2\n" + FEW
    for ranks in (2, 3) if DEVICE == "cpu" else (2,):
        run(wende, ranks, folder, f"plain{ranks}", two)
        run(wende, ranks, folder, f"sharded{ranks}", two + shard)
        for epoch in (1, 2):
            expected = checkpoint(folder, f"plain{ranks}", epoch)
            assert any("adam_m" in key for key in expected), sorted(expected)
            same(checkpoint(folder, f"sharded{ranks}", epoch), expected, f"{ranks} ranks, epoch {epoch}", 1e-3, 2e-5)
    for first, second, name in ((shard, "", "becomes_plain"), ("", shard, "becomes_sharded")):
        run(wende, 2, folder, name, "num_epochs = 1\n" + FEW + first)
        text = run(wende, 2, folder, name, two + second)
        assert "Going on from" in text, text
        same(checkpoint(folder, name, 2), checkpoint(folder, "plain2", 2), name, 1e-3, 2e-5)
    print("shards: as without, and from one to the other")


def what_shards_cannot(wende, folder):
    for options in ("gradient_noise = 0.1\n", 'gradient_wire_dtype = "bfloat16"\n'):
        text = run(wende, 2, folder, "refused", "shard_optimizer = True\n" + options, status=1)
        assert "shard_optimizer" in text, text
    text = run(wende, 2, folder, "refused", 'gradient_wire_dtype = "bfloat15"\n', status=1)
    assert "'bfloat15' is none of 'float32', 'bfloat16'" in text, text
    print("refused what shards cannot do")


def wire(wende, folder):
    """One step of descent with rate 1: the change of the parameters is the gradient."""
    options = 'dev["num_seqs"] = 4\nadam = False\ngradient_clip_global_norm = 0\nlearning_rate = 1.0\ntrain["num_seqs"] = 6\n'
    changes = {}
    run(wende, 2, folder, "start", options.replace("1.0", "0.0"))
    start = checkpoint(folder, "start", 1)
    for dtype in ("float32", "bfloat16"):
        run(wende, 2, folder, dtype, options + f'gradient_wire_dtype = "{dtype}"\n')
        end = checkpoint(folder, dtype, 1)
        changes[dtype] = np.concatenate([(end[key] - start[key]).ravel() for key in sorted(start) if key.startswith("params/")])
    size = np.linalg.norm(changes["float32"])
    error = np.linalg.norm(changes["bfloat16"] - changes["float32"])
    assert 0 < error <= 2 / 256 * size, (error, size)
    print(f"bfloat16 on the wire: the gradient is off by {error / size:.1e} of its norm")


def failing_nccl(wende, folder):
    start = time.monotonic()
    text = run(wende, 2, folder, "fails", FEW, status=1, CUDASIM_NCCL_FAIL="1:2")
    assert "a sum of gradients on rank 1" in text and "in gradient bucket 1 of 1" in text, text
    assert time.monotonic() - start < 60, "the other rank waited"
    print("an error of NCCL ends all ranks, with rank and bucket")


def main():
    with tempfile.TemporaryDirectory() as name:
        for test in (shards, what_shards_cannot, wire) + ((failing_nccl,) if DEVICE == "gpu" else ()):
            test(sys.argv[1], Path(name))


if __name__ == "__main__":
    main()

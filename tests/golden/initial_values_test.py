#!/usr/bin/env python3
"""Initial values of the parameters of all golden cases against what the recorder noted of RETURNN's own: constants are equal,
random ones have its mean, deviation, bounds and orthogonality.

initial_values_test.py WENDE
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy

SEED = Path(__file__).resolve().parent / "seed"


def own_values(wende, case, folder):
    """The case without parameters, replayed: the program's own ones by name."""
    given, out = folder / "given.h5", folder / "out.h5"
    with h5py.File(case) as golden, h5py.File(given, "w") as file:
        file["config"] = golden["config"][()]
        golden.copy("inputs", file)
    done = subprocess.run([wende, "replay", given, "--out", out], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{case.name}: {done.stdout + done.stderr}")
    values = {}
    with h5py.File(out) as file:
        file["params"].visititems(lambda name, node: values.__setitem__(name, node[()]) if isinstance(node, h5py.Dataset) else None)
    return values


def orthogonality(x):
    """As the recorder has it: the largest entry of W^T W - I for the smaller side."""
    matrix = x.reshape(-1, x.shape[-1]).astype("float64")
    product = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    return numpy.abs(product - numpy.eye(len(product))).max()


def faults(x, facts):
    """What of the values x is not as RETURNN's. Both are samples of n: their difference stays within 6 standard errors."""
    if x.dtype.kind not in "f":
        return
    mean, deviation, smallest, largest = (float(facts["init_" + key]) for key in ("mean", "std", "min", "max"))
    if x.size == 1 and mean not in (0.0, 1.0):  # one number: drawn or given, that does not say
        return
    if facts["init_const"] or deviation < 1e-7:
        if numpy.abs(x - mean).max() > 1e-6:
            yield f"is {x.min()} to {x.max()}, RETURNN's {mean}"
        return
    n = x.size
    if n < 8:
        if x.std() == 0:
            yield f"is constant {x.mean()}, RETURNN's is random"
        return
    if abs(x.mean() - mean) > 6 * deviation * (2 / n) ** 0.5:
        yield f"mean {x.mean()}, RETURNN's {mean}"
    if abs(x.std() - deviation) > 6 * deviation / n**0.5:
        yield f"deviation {x.std()}, RETURNN's {deviation}"
    span = largest - smallest
    # Bounds of uniform and truncated distributions are sharp; of a truncated one 1.7 % lie within this slack of either.
    if n >= 1000 and span < 5 * deviation:
        slack = 0.06 * span
        if abs(x.min() - smallest) > slack or abs(x.max() - largest) > slack:
            yield f"from {x.min()} to {x.max()}, RETURNN's from {smallest} to {largest}"
    if "init_orth_err" in facts and facts["init_orth_err"] < 1e-4 and orthogonality(x) > 1e-4:
        yield f"is not orthogonal ({orthogonality(x)})"


def main():
    wende = str(Path(sys.argv[1]).resolve())
    count, found = 0, []
    for name in (SEED.parent / "passing.txt").read_text().split():
        case = SEED / f"{name}.golden.h5"
        with tempfile.TemporaryDirectory() as folder, h5py.File(case) as golden:
            if "params" not in golden:
                continue
            for param, x in own_values(wende, case, Path(folder)).items():
                facts = dict(golden["params"][param].attrs)
                if "init_mean" not in facts:
                    continue
                count += 1
                found += [f"{name}: {param} {list(x.shape)}: {fault}" for fault in faults(x, facts)]
    print("\n".join(found) or f"{count} parameters start as RETURNN's")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

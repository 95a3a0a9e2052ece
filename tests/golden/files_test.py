#!/usr/bin/env python3
"""The HDF files that hdf_dump layers write, against those that RETURNN wrote: the same groups, datasets, types, shapes, attributes and values.

files_test.py WENDE
"""
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import expand_params
import h5py
import numpy

SEED = Path(__file__).resolve().parent / "seed"


def facts(node):
    """What must be equal of a group or dataset, but for its values."""
    result = {f"attribute {key}": (numpy.asarray(value).dtype.kind, numpy.asarray(value).tolist()) for key, value in node.attrs.items()}
    if isinstance(node, h5py.Dataset):
        text = h5py.check_string_dtype(node.dtype)
        result["type"] = ("text", text.length) if text else str(node.dtype)
        result["shape"] = node.shape
        result["may grow"] = node.maxshape
    return result


def content(file):
    nodes = {"/": file["/"]}
    file.visititems(lambda name, node: nodes.__setitem__(name, node))
    return nodes


def differences(golden, other):
    expected, found = content(golden), content(other)
    for name in sorted(set(expected) | set(found)):
        if name not in found or name not in expected:
            yield f"{name}: {'is missing' if name not in found else 'RETURNN has none'}"
            continue
        want, have = facts(expected[name]), facts(found[name])
        for key in sorted(set(want) | set(have)):
            if want.get(key) != have.get(key):
                yield f"{name}: {key} is {have.get(key)}, RETURNN's {want.get(key)}"
        if isinstance(expected[name], h5py.Dataset) and expected[name].shape == found[name].shape:
            a, b = expected[name][()], found[name][()]
            equal = numpy.allclose(b, a, rtol=1e-4, atol=1e-5) if a.dtype.kind in "fc" else numpy.array_equal(a, b)
            if not equal:
                yield f"{name}: other values"


def main():
    wende, count, found = str(Path(sys.argv[1]).resolve()), 0, []
    for case in sorted(SEED.glob("*.golden.h5")):
        with h5py.File(case) as golden, tempfile.TemporaryDirectory() as folder:
            names = [name for name in golden.get("files", ()) if name.endswith(".hdf")]
            if not names:
                continue
            given, out = Path(folder) / "given.h5", Path(folder) / "out.h5"
            sys.argv = ["expand_params", str(case), str(given)]
            expand_params.main()
            subprocess.run([wende, "replay", given, "--out", out], check=True, capture_output=True, timeout=300)
            for name in names:
                count += 1
                with h5py.File(io.BytesIO(golden["files"][name][()].tobytes())) as theirs, h5py.File(f"{out}.files/{name}") as ours:
                    found += [f"{case.name}: {name}: {text}" for text in differences(theirs, ours)]
    print("\n".join(found) or f"{count} files are as RETURNN's")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main())

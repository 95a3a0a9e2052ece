#!/usr/bin/python3
"""The task forward with the parameters of RETURNN's LSTM baseline: output_file and hdf_dump are RETURNN's own files, group by group, and so are the statistics.
RETURNN's HDFDataset reads them where `returnn` can be imported here or by the interpreter in WENDE_RETURNN_PYTHON.

forward_baseline_test.py WENDE
Skipped (status 77) where ../shared/data/baselines is absent.
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy

from run_e2e import ENVIRONMENT, ROOT, check

BASELINES = ROOT.parent / "shared" / "data" / "baselines"
READER = ROOT / "tests/io/returnn_reads_dumps.py"
DATASET = {"class": "HDFDataset", "files": [str(BASELINES.parent / "spoken-digits.dev.hdf")], "seq_ordering": "default",
           "seq_list_filter_file": str(BASELINES / "spoken-digits.forward.seqs.txt")}


def crc32c(data):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ 0x82F63B78 * (byte & 1)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 255] ^ crc >> 8
    return f"{crc ^ 0xFFFFFFFF:08x}"


def safetensors(values):
    header, blob = {}, b""
    for name in sorted(values):
        data = values[name].tobytes()
        header[name] = {"dtype": "F32", "shape": list(values[name].shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + blob


def write_model(path, params):
    """A checkpoint of the first format version, which has no sum over its manifest."""
    with h5py.File(params) as file:
        values = {}
        file.visititems(lambda name, node: values.__setitem__(name, node[()]) if isinstance(node, h5py.Dataset) and node.dtype == "f4" else None)
    path.mkdir()
    files = {}
    for file, tensors in (("params.safetensors", safetensors(values)), ("optim.safetensors", safetensors({}))):
        (path / file).write_bytes(tensors)
        files[file] = {"bytes": len(tensors), "crc32c": crc32c(tensors)}
    manifest = {"format_version": 1, "wende_version": "0.1.0", "counters": {"epoch": 6, "global_step": 467, "runs": 467, "world_size": 1}, "numbers": {}, "texts": {},
                "files": files}
    (path / "manifest.json").write_text(json.dumps(manifest))


def described(path):
    """Each group and data set of a file: its attributes, and its dtype, shape and numbers."""
    found = {}
    with h5py.File(path) as file:
        nodes = {"/": file}
        file.visititems(nodes.__setitem__)
        for name, node in nodes.items():
            attributes = {key: (numpy.asarray(value).dtype, numpy.asarray(value).tolist()) for key, value in node.attrs.items()}
            found[name] = (attributes, node.dtype, node[()]) if isinstance(node, h5py.Dataset) else (attributes, None, None)
    return found


def compare_files(path, expected_path):
    found, expected = described(path), described(expected_path)
    check(sorted(found) == sorted(expected), f"{path.name}: {sorted(found)}\nRETURNN has {sorted(expected)}")
    for name, (attributes, dtype, values) in expected.items():
        check(found[name][:2] == (attributes, dtype), f"{path.name}: {name} {found[name][:2]}, RETURNN has {(attributes, dtype)}")
        if dtype is None:
            continue
        check(found[name][2].shape == values.shape, f"{path.name}: {name} {found[name][2].shape}, RETURNN has {values.shape}")
        same = numpy.allclose(found[name][2], values, rtol=1e-4, atol=2e-6) if dtype.kind == "f" else numpy.array_equal(found[name][2], values)
        check(same, f"{path.name}: {name} has other values than RETURNN's")
    print(f"{path.name}: {len(expected)} groups and data sets as RETURNN's")


def statistics(text):
    """Lines "stats:stats:KEY: numbers"; of those in RETURNN's notes, the first table."""
    found = {}
    for key, numbers in re.findall(r"stats:stats:(\w+): (.+)$", text.split("# the same over")[0], re.M):
        found[key] = numpy.array(json.loads(numbers), float)
    return found


def compare_statistics(text):
    found, expected = statistics(text), statistics((BASELINES / "spoken-digits.forward.log.txt").read_text())
    check(sorted(found) == sorted(expected), f"{sorted(found)}\nRETURNN has {sorted(expected)}")
    for key, numbers in expected.items():
        check(numpy.allclose(found[key], numbers, rtol=1e-4, atol=1e-6), f"{key}: {found[key]}, RETURNN has {numbers}")
    print(f"{len(expected)} statistics as RETURNN's")


def main():
    if not BASELINES.is_dir():
        print("skipped: ../shared/data/baselines is not here")
        return 77
    wende = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        write_model(folder / "net.006.wende", BASELINES / "spoken-digits.lstm.epoch6.params.hdf")
        options = ["++model", folder / "net", "++eval", repr(DATASET)]
        done = subprocess.run([wende, BASELINES / "spoken-digits.forward.config", *options], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, cwd=folder)
        check(done.returncode == 0, done.stdout + done.stderr)
        files = {"output": folder / "out/forward.output.hdf", "posteriors": folder / "out/posteriors.dev.hdf"}
        for kind, path in files.items():
            compare_files(path, BASELINES / f"spoken-digits.forward.{kind}.hdf")
        compare_statistics(done.stdout)
        python = os.environ.get("WENDE_RETURNN_PYTHON", sys.executable)
        if subprocess.run([python, "-c", "import returnn"], capture_output=True).returncode == 0:
            return subprocess.run([python, READER, "--read", *files.values()]).returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())

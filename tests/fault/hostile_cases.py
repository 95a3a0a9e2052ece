#!/usr/bin/env python3
"""Files and names that mean harm, or are damaged so: refused, with nothing else touched.

hostile_cases.py WENDE [CASE ...]
"""
import collections
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fuzz")]
from fault_runs import Run, Skip, finish, main
from inspect_mutations_test import mutated
from rank_cases import write_hdf

CRASHING = HERE.parent / "fuzz/crashing/variable_strings.hdf"  # libhdf5 1.10.8 does not survive it
CONFIG = """
task = "train"
train = {{"class": "HDFDataset", "files": ["{data}"]}}
extern_data = {{"data": {{"dim": 3}}, "classes": {{"dim": 5, "sparse": True}}}}
network = {{"output": {{"class": "softmax", "loss": "ce", "from": "data"}}}}
max_seqs = 2
batch_size = 1000
num_epochs = 1
learning_rate = 0.01
model = "{model}"
"""
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


class World:
    def __init__(self, wende, folder):
        self.wende, self.folder, self.count = wende, folder, 0

    def config(self, data, more=""):
        self.count += 1
        path = self.folder / f"run{self.count}.config"
        path.write_text(CONFIG.format(data=data, model=self.folder / f"run{self.count}" / "m") + more)
        return path

    def refused(self, data, words, ranks=1, **kwargs):
        """By a training, before its first step, and by `wende check-data` and `wende inspect`."""
        status, text = finish(self.wende, self.config(data), ranks, **kwargs)
        assert status == 65 and str(data) in text and words in text and "train epoch" not in text, (status, text)
        run = subprocess.run([self.wende, "check-data", data], capture_output=True, text=True)
        assert run.returncode == 65 and words in run.stderr, run


@case
def crashing_file(world):
    """The library crashes in a process that exists for it; the training tells what it is and ends in order."""
    world.refused(CRASHING, "does not survive it (signal 11)")
    world.refused(CRASHING, "does not survive it (signal 11)", ranks=2)
    assert not list(world.folder.glob("core*"))


@case
def mutated_data(world):
    """A training on changed copies: it runs, or refuses the file; it never dies of it."""
    good, target, dice, ends = world.folder / "good.hdf", world.folder / "mutated.hdf", random.Random(11), collections.Counter()
    write_hdf(good, range(6))
    data = good.read_bytes()
    for number in range(60):
        target.write_bytes(mutated(data, dice))
        status, text = finish(world.wende, world.config(target), 1)
        assert status in (0, 65, 78), (number, status, text)
        assert status != 65 or str(target) in text, text
        ends[status] += 1
    assert ends[0] and ends[65], ends
    print("  " + ", ".join(f"{count} x status {status}" for status, count in sorted(ends.items())))


@case
def data_of_other_files(world):
    """Links, raw storage and virtual arrays that lead out of the file would read what its author chose."""
    good = world.folder / "inner.hdf"
    write_hdf(good, range(6))
    assert finish(world.wende, world.config(good), 1)[0] == 0

    def variant(name, make):
        path = world.folder / f"{name}.hdf"
        write_hdf(path, range(6))
        with h5py.File(path, "r+") as file:
            rows = file["inputs"][:]
            del file["inputs"]
            make(file, rows)
        with h5py.File(path) as file:
            assert file["inputs"].shape == rows.shape  # others follow it
        return path

    def external_storage(file, rows):
        raw = world.folder / "raw.bin"
        raw.write_bytes(rows.tobytes())
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_external(os.fsencode(raw), 0, rows.nbytes)
        h5py.h5d.create(file.id, b"inputs", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple(rows.shape), creation)

    def virtual(file, rows):
        layout = h5py.VirtualLayout(shape=rows.shape, dtype=rows.dtype)
        layout[:] = h5py.VirtualSource(good, "inputs", shape=rows.shape)
        file.create_virtual_dataset("inputs", layout)

    def link(file, rows):
        file["inputs"] = h5py.ExternalLink(str(good), "/inputs")

    world.refused(variant("storage", external_storage), "keeps its data in other files")
    world.refused(variant("virtual", virtual), "keeps its data in other files")
    world.refused(variant("link", link), "inputs")


@case
def filters_from_outside(world):
    """A filter that libhdf5 would load as a library is never loaded."""
    folder, marker = world.folder / "plugins", world.folder / "loaded"
    folder.mkdir()
    flags = subprocess.run(["pkg-config", "--cflags", "hdf5"], capture_output=True, text=True).stdout.split()
    command = ["cc", "-shared", "-fPIC", *(flags or ["-I/usr/include/hdf5/serial"]), "-o", folder / "libnothing.so", HERE / "plugin_filter.c"]
    if subprocess.run(command, capture_output=True).returncode != 0:
        raise Skip("no filter can be compiled here")
    path = world.folder / "filtered.hdf"
    write_hdf(path, range(6))
    with h5py.File(path, "r+") as file:
        rows = file["inputs"][:]
        del file["inputs"]
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk(rows.shape)
        creation.set_filter(32099, h5py.h5z.FLAG_OPTIONAL, ())
        data = h5py.h5d.create(file.id, b"inputs", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple(rows.shape), creation)
        data.write_direct_chunk((0, 0), rows.tobytes(), 0)
    environment = {"HDF5_PLUGIN_PATH": str(folder), "MARKER": str(marker)}
    program = "import h5py, sys; h5py.File(sys.argv[1])['inputs'][:]"
    subprocess.run([sys.executable, "-c", program, path], env={**os.environ, **environment}, capture_output=True)
    if not marker.exists():
        raise Skip("this HDF5 loads no filters at all")
    marker.unlink()
    os.environ.update(environment)
    try:
        world.refused(path, "inputs")
    finally:
        for name in environment:
            del os.environ[name]
    assert not marker.exists()


@case
def flipped_bits_of_dumps(world):
    """Chunks that we write carry checksums: one changed bit is seen, wherever it is."""
    data, dump = world.folder / "dumped.hdf", world.folder / "dump.hdf"
    write_hdf(data, range(6))
    layer = f"network['dump'] = {{'class': 'hdf_dump', 'is_output_layer': True, 'from': 'output', 'filename': '{dump}'}}\n"
    status, text = finish(world.wende, world.config(data, layer), 1)
    assert status == 0, text
    check = lambda: subprocess.run([world.wende, "check-data", dump], capture_output=True, text=True)
    assert check().returncode == 0
    with h5py.File(dump) as file:
        assert file["inputs"].fletcher32 and file["seqLengths"].fletcher32
        chunk = file["inputs"].id.get_chunk_info(0)
    good, dice = dump.read_bytes(), random.Random(2)
    for _ in range(30):
        damaged = bytearray(good)
        damaged[chunk.byte_offset + dice.randrange(chunk.size)] ^= 1 << dice.randrange(8)
        dump.write_bytes(damaged)
        run = check()
        assert run.returncode == 65 and "inputs" in run.stderr, run


@case
def file_names(world):
    """Names of a config that become file names lead nowhere else and do nothing to a terminal."""
    data = world.folder / "names.hdf"
    write_hdf(data, range(4))
    inside = sorted(world.folder.parent.glob("up*"))
    other = '{"class": "HDFDataset", "files": ["%s"]}' % data
    for name in ["../../up", "..", "a/b", "", "a\x1b[31m", "a\n", "x" * 201]:
        status, text = finish(world.wende, world.config(data, f"eval_datasets = {{{name!r}: {other}}}\n"), 1)
        assert status == 78 and "data set's name" in text and "\x1b" not in text, (name, status, text)
    layer = '{"class": "linear", "activation": None, "n_out": 3, "from": "data"}'
    dump = '{"class": "hdf_dump", "is_output_layer": True, "from": "data", "filename": "a\\x07.hdf"}'
    for more in ["model = 'out/m\\x07'", "log = ['a\\x1b.log']", "tf_log_dir = 'a\\nb'", f"network['a\\x1b'] = {layer}",
                 f"network['dump'] = {dump}",
                 f"network['sub'] = {{'class': 'subnetwork', 'from': 'data', 'subnetwork': {{'output': {layer}, 'x\\x08': {layer}}}}}"]:
        status, text = finish(world.wende, world.config(data, more + "\n"), 1, cwd=world.folder)
        assert not [path for path in world.folder.rglob("*") if re.search("[\x00-\x1f]", str(path))], more
        assert status == 78 and "control bytes" in text and not re.search("[\x00-\x08\x0b-\x1f]", text), (more, status, text)
    assert sorted(world.folder.parent.glob("up*")) == inside
    status, text = finish(world.wende, world.config(data, f"eval_datasets = {{'test other-1.0 ä': {other}}}\n"), 1)
    assert status == 0 and "test other-1.0 ä: score" in text, (status, text)


if __name__ == "__main__":
    sys.exit(main(CASES, World, "wende-hostile-"))

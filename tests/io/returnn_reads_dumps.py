#!/usr/bin/env python3
"""RETURNN's own HDFDataset reads what Wende writes, and gives the sequences that h5py sees in the file.

returnn_reads_dumps.py IO_TEST_PROGRAM WENDE
Skipped (status 77) unless `returnn` can be imported here or by the interpreter in WENDE_RETURNN_PYTHON.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from utility_layers_test import run as train_with_dumps  # noqa: E402

CONFIG = Path(__file__).resolve().parents[2] / "configs/12ax.lstm.config"


def check_file(path):
    import h5py
    import numpy
    from returnn.datasets.hdf import HDFDataset

    dataset = HDFDataset(files=[str(path)], use_cache_manager=False)
    dataset.init_seq_order(epoch=1)
    with h5py.File(path, "r") as file:
        lengths = file["seqLengths"][()]
        tags = [tag.decode() if isinstance(tag, bytes) else tag for tag in file["seqTags"][()]]
        arrays = {"data": file["inputs"][()]}
        for key in file.get("targets/data", {}):
            arrays[key] = file["targets/data"][key][()]
    assert dataset.num_seqs == len(tags) > 0, (path, dataset.num_seqs, len(tags))
    assert set(dataset.get_data_keys()) == set(arrays), (dataset.get_data_keys(), set(arrays))
    starts = {key: 0 for key in arrays}
    for index, tag in enumerate(tags):
        dataset.load_seqs(index, index + 1)
        assert dataset.get_tag(index) == tag
        for column, key in enumerate(arrays):
            length = lengths[index][column]
            expected = arrays[key][starts[key] : starts[key] + length]
            starts[key] += length
            got = dataset.get_data(index, key)
            assert numpy.array_equal(got.reshape(expected.shape), expected), (path, tag, key)
    print(f"{path.name}: {len(tags)} sequences, keys {sorted(arrays)}")


def write_dumps(io_test, wende, folder):
    subprocess.run([io_test, "--gtest_filter=Samples.*"], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "WENDE_IO_SAMPLES": str(folder)})
    options = ["++model", folder / "model", "++learning_rate_file", folder / "rates", "++num_epochs", "1", "++output_file", folder / "posteriors.hdf",
               "++train", '{"class": "Task12AXDataset", "num_seqs": 20}']
    for task in ("train", "forward"):
        subprocess.run([wende, CONFIG, "++task", task, *options], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})


def main():
    if sys.argv[1] == "--read":
        for path in sys.argv[2:]:
            check_file(Path(path))
        return 0
    python = os.environ.get("WENDE_RETURNN_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import returnn"], capture_output=True).returncode != 0:
        print("skipped: RETURNN is not installed (pip install returnn; WENDE_RETURNN_PYTHON names its interpreter)")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_dumps(sys.argv[1], sys.argv[2], folder)
        train_with_dumps(sys.argv[2], folder / "layers", 2)
        files = [folder / "dense.hdf", folder / "sparse.hdf", folder / "posteriors.hdf", *sorted((folder / "layers").glob("*.hdf"))]
        return subprocess.run([python, __file__, "--read", *map(str, files)]).returncode


if __name__ == "__main__":
    sys.exit(main())

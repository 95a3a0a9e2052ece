#!/usr/bin/python3
"""Reads what Wende writes with independent readers: h5py, and safetensors and TensorBoard where they are installed.

Usage: foreign_readers.py IO_TEST_PROGRAM [FOLDER_WITH_RETURNN_DUMPS]
The folder may hold dense.hdf, sparse.hdf, extra.hdf, whole.hdf of RETURNN itself: then types and extents must be equal.
"""

import os
import subprocess
import sys
import tempfile

import h5py
import numpy


def describe(path):
    """Everything of an HDF5 file but the numbers: object -> (dtype, shape, maxshape, chunks), and attributes."""
    layout = {}
    with h5py.File(path, "r") as file:
        layout["/"] = {key: (value.dtype.str, numpy.asarray(value).tolist()) for key, value in file.attrs.items()}

        def visit(name, item):
            attributes = {key: (value.dtype.str, numpy.asarray(value).tolist()) for key, value in item.attrs.items()}
            if isinstance(item, h5py.Dataset):
                string = h5py.check_string_dtype(item.dtype)
                dtype = f"{string.encoding} {string.length}" if string else item.dtype.str
                layout[name] = (dtype, item.shape, item.maxshape, item.chunks, item.compression, attributes)
            else:
                layout[name] = attributes

        file.visititems(visit)
    return layout


def check_dense(path):
    layout = describe(path)
    assert layout["/"] == {
        "inputPattSize": ("<i8", 3), "numDims": ("<i8", 1), "numLabels": ("<i8", 3), "numSeqs": ("<i8", 3),
        "numTimesteps": ("<i8", 13),
    }, layout["/"]
    expected = {
        "inputs": ("<f4", (13, 3), (None, None), (6, 3), None, {}),
        "labels": ("ascii 5", (0,), (0,), None, None, {}),
        "seqLengths": ("<i4", (3, 2), (None, None), (1024, 2), None, {}),
        "seqTags": ("utf-8 None", (3,), (None,), (1024,), None, {}),
        "targets": {}, "targets/data": {}, "targets/labels": {},
        "targets/data/seq_sizes": ("<i4", (3,), (None,), (1024,), None, {}),
        "targets/labels/seq_sizes": ("ascii 11", (1,), (1,), None, None, {}),
        "targets/size": {"seq_sizes": ("<i8", [1, 1])},
    }
    for name, value in expected.items():
        assert layout[name] == value, (name, layout[name], value)
    with h5py.File(path, "r") as file:
        assert file["seqLengths"][()].tolist() == [[6, 1], [5, 1], [2, 1]]
        assert [tag.decode() for tag in file["seqTags"][()]] == ["seq-0", "seq-1", "seq-2"]
        assert file["inputs"][6:8].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert file["targets/labels/seq_sizes"][()].tolist() == [b"dummy-label"]


def check_extra(path):
    with h5py.File(path, "r") as file:
        assert file["seqLengths"][()].tolist() == [[n, 6, 1, 6, 1, 6, 2, 1] for n in (6, 5, 2)]
        assert file["targets/data/enc_seq_lens"][()].tolist() == [6, 3, 5, 3, 2, 3]


def check_safetensors(path):
    try:
        from safetensors.numpy import load_file
    except ImportError:
        return "safetensors: not installed"
    tensors = load_file(path)
    assert sorted(tensors) == ["a/W", "b", "flag", "scalar", "wide"]
    assert tensors["a/W"].dtype == numpy.float32 and tensors["a/W"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert tensors["b"].dtype == numpy.int32 and tensors["b"].tolist() == [1, 2, 3]
    assert tensors["flag"].dtype == bool and not tensors["flag"].any()
    assert tensors["scalar"].shape == () and tensors["scalar"] == 2.5
    assert tensors["wide"].tolist() == [0.1]
    return "safetensors: read"


def check_events(folder):
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        return "tensorboard: not installed"
    events = EventAccumulator(folder)
    events.Reload()
    scalars = events.Scalars("loss")
    assert [event.step for event in scalars] == list(range(1, 101))
    assert abs(scalars[3].value - 0.25) < 1e-7
    histogram = events.Histograms("weights")[0].histogram_value
    assert (histogram.min, histogram.max, histogram.num, histogram.sum) == (-15, 14, 30, -15)
    assert sum(histogram.bucket) == 30
    image = events.Images("picture")[0]
    assert (image.height, image.width) == (2, 6) and image.encoded_image_string.startswith(b"\x89PNG")
    return "tensorboard: read"


def main():
    program, reference = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "--gtest_filter=Samples.*"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "WENDE_IO_SAMPLES": folder})
        check_dense(os.path.join(folder, "dense.hdf"))
        check_extra(os.path.join(folder, "extra.hdf"))
        for name in ("dense.hdf", "sparse.hdf", "extra.hdf", "whole.hdf") if reference else ():
            ours, theirs = describe(os.path.join(folder, name)), describe(os.path.join(reference, name))
            for key in sorted(set(ours) | set(theirs)):
                assert ours.get(key) == theirs.get(key), (name, key, ours.get(key), theirs.get(key))
        print(check_safetensors(os.path.join(folder, "sample.safetensors")))
        print(check_events(os.path.join(folder, "events")))
    print("ok")


if __name__ == "__main__":
    main()

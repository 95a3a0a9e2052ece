"""What is recorded of a case, and the HDF5 file that holds it."""
import dataclasses
import importlib.metadata
import json
import os

import h5py
import numpy as np
import tensorflow as tf

from case_config import EXIT_TRAIN

FORMAT_VERSION = 1
DIGEST_ABOVE = 2048  # floats; with `store = "summary"` larger arrays are only digested
DIGEST_SAMPLES = 64
COMPRESS_ABOVE = 1024  # bytes
TEXT = h5py.string_dtype("utf-8")


@dataclasses.dataclass
class Recording:
    """Datasets and attributes to be written; what failed, and what was left out and why."""

    datasets: dict = dataclasses.field(default_factory=dict)  # path -> (array, attributes)
    attributes: dict = dataclasses.field(default_factory=dict)
    errors: list = dataclasses.field(default_factory=list)  # (exit status, message); the first one counts
    notes: list = dataclasses.field(default_factory=list)

    def put(self, path, array, **attributes):
        assert path not in self.datasets, "duplicate %s" % path
        self.datasets[path] = (array, attributes)

    def fail(self, status, message):
        """Something of the case is missing: the rest is recorded, the file is not complete."""
        self.errors.append((status, message))


def put_written_file(recording, name):
    """Moves a file that the net wrote into the recording: its bytes, and the content of HDF5 once more as datasets."""
    if not os.path.exists(name):
        recording.fail(EXIT_TRAIN, "file %s was not written" % name)
        return
    base = os.path.basename(name)
    recording.put("/files/" + base, np.fromfile(name, dtype="uint8"))
    if h5py.is_hdf5(name):
        with h5py.File(name, "r") as file:
            put_hdf_content(recording, "/files_content/" + base, file)
    os.remove(name)


def put_hdf_content(recording, folder, file):
    """All datasets of an HDF5 file; attributes of groups are on the dataset `__attrs__` in the group."""

    def visit(path, item):
        if isinstance(item, h5py.Dataset):
            recording.put("%s/%s" % (folder, path), item[()], **dict(item.attrs))
        elif item.attrs:
            recording.put("%s/%s/__attrs__" % (folder, path), np.int32(0), **dict(item.attrs))

    recording.put(folder + "/__attrs__", np.int32(0), **dict(file.attrs))
    file.visititems(visit)


def write(recording, session, out):
    """Writes the file of a case under another name and renames it: a broken run leaves no half file."""
    case = session.case
    digests = case.options.get("store") == "summary"
    unfinished = out + ".tmp%i" % os.getpid()
    with h5py.File(unfinished, "w", libver=("v110", "v110")) as file:
        file.create_dataset("config", data=case.source, dtype=TEXT)
        for name, value in {**recording.attributes, **attributes_of_file(recording, session)}.items():
            file.attrs[name] = value
        for path, (array, attributes) in recording.datasets.items():
            write_dataset(file, path, np.asarray(array), attributes, digests and not path.startswith("/inputs"))
    os.replace(unfinished, out)


def attributes_of_file(recording, session):
    """What the attributes of the file say of the case, of the versions and of what is missing."""
    case = session.case
    attributes = {
        "format_version": FORMAT_VERSION,
        "name": case.name,
        "seed": case.seed,
        "behavior_version": session.behavior_version,
        "learning_rate": session.learning_rate,
        "updater": json.dumps(case.updater, default=repr),
        "padding": "frames beyond the sequence length are zero in all recorded arrays",
        "returnn_version": importlib.metadata.version("returnn"),
        "tf_version": tf.__version__,
        "numpy_version": np.__version__,
        "complete": int(not recording.errors),
        "errors": "\n".join(message for _, message in recording.errors),
        "notes": "\n".join(sorted(set(recording.notes))),
        "store": "summary" if case.options.get("store") == "summary" else "full",
        "param_scale": float(case.options.get("param_scale", 1.0)),
    }
    if case.options.get("feature_tags"):
        attributes["feature_tags"] = ",".join(case.options["feature_tags"])
    return attributes


def write_dataset(file, path, array, attributes, digest):
    """One array of any type: bool becomes uint8, strings UTF-8, large floats with `digest` some samples and sums."""
    if array.dtype == bool:
        attributes = dict(attributes, was_bool=1)
        array = array.astype("uint8")
    if array.dtype.kind in "SOU":
        texts = [x.decode("utf8", "replace") if isinstance(x, bytes) else str(x) for x in array.reshape(-1)]
        dataset = file.create_dataset(path, data=np.array(texts, dtype=object).reshape(array.shape), dtype=TEXT)
    elif digest and array.dtype.kind == "f" and array.size > DIGEST_ABOVE:
        dataset = file.create_dataset(path, data=array.reshape(-1)[:DIGEST_SAMPLES])
        attributes = dict(attributes, **digest_of(array))
    elif array.nbytes > COMPRESS_ABOVE:
        dataset = file.create_dataset(path, data=array, compression="gzip", compression_opts=9, shuffle=True)
    else:
        dataset = file.create_dataset(path, data=array)
    for name, value in attributes.items():
        dataset.attrs[name] = value


def digest_of(array):
    """Attributes in place of a large array: sums in float64, and samples spread over it in C order."""
    flat = array.reshape(-1)
    exact = flat.astype("float64")
    places = np.unique(np.linspace(0, array.size - 1, DIGEST_SAMPLES).astype("int64"))
    return {
        "digest": 1,
        "full_shape": np.array(array.shape, dtype="int64"),
        "sum": float(exact.sum()),
        "abs_sum": float(np.abs(exact).sum()),
        "norm": float(np.sqrt((exact**2).sum())),
        "sample_idx": places,
        "sample": flat[places],
    }

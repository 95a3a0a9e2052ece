"""Inputs of a case: lengths and values for all placeholders of extern_data, fed and recorded."""
import dataclasses

import numpy as np
import tensorflow as tf
from returnn.tensor import batch_dim
from returnn.util.basic import RefIdEq

from case_config import EXIT_CONFIG, CaseError, name_seed
from padding import Lengths, axes_attributes, batch_major_order, without_padding

UNKNOWN_EXTENT = 5  # of a dim that is neither static nor has lengths
SHORTER_BY = [0, 2, 3, 1, 4, 2, 3]  # lengths of the sequences of a batch, if not given: the longest less these
SPARSE_LABELS = 13  # of a sparse key without dim


@dataclasses.dataclass
class Inputs:
    """The options `batch` of a case while its keys are gone through."""

    options: dict
    seed: int
    n_batch: int
    feed: dict = dataclasses.field(default_factory=dict)  # placeholder -> array
    lengths: dict = dataclasses.field(default_factory=dict)  # RefIdEq(placeholder of lengths) -> array: dims may be shared


def make_inputs(session, recording):
    """Sets session.feed and session.n_batch; records /inputs."""
    options = session.case.batch
    inputs = Inputs(options, session.case.seed, batch_size(options))
    extern_data = session.net.extern_data
    for index, (key, data) in enumerate(extern_data.get_sorted_data_items()):
        if data.batch is not None and not data.batch.is_global_batch():
            continue
        if not is_placeholder(data.placeholder):
            continue  # e.g. register_as_extern_data
        if key in ("seq_tag", "seq_idx") or data.dtype == "string":
            values = tags(data.dtype, inputs.n_batch)
            inputs.feed[data.placeholder] = values
            recording.put("/inputs/%s/data" % key, values)
            continue
        put_key(inputs, recording, key, index, data)
    batch = extern_data.get_batch_info(allow_none=True)
    if batch is not None and tf.is_tensor(batch.dim):
        inputs.feed[batch.dim] = inputs.n_batch
    if tf.is_tensor(session.net.epoch_step):
        inputs.feed[session.net.epoch_step] = 0
    session.feed, session.n_batch = inputs.feed, inputs.n_batch


def batch_size(options):
    """The number of sequences: that of the first lengths given, else `n_batch`, else 3."""
    for lengths in (options.get("seq_lens") or {}).values():
        return len(lengths if isinstance(lengths, (list, tuple)) else list(lengths.values())[0])
    return int(options.get("n_batch", 3))


def is_placeholder(tensor):
    return tensor is not None and tensor.op.type == "Placeholder"


def tags(dtype, n_batch):
    """[B]: names or numbers of the sequences."""
    if dtype == "string":
        return np.array([("seq-%i" % i).encode() for i in range(n_batch)])
    return np.arange(n_batch, dtype=dtype)


def put_key(inputs, recording, key, index, data):
    """Feeds one key and records it, batch-major and with zeros as padding."""
    shape, sizes = shape_and_sizes(inputs, key, index, data)
    values = make_values(inputs, key, data, shape)
    varying = {axis: Lengths(size, (data.batch_dim_axis,)) for axis, size in sizes.items() if data.batch_dim_axis is not None}
    values = without_padding(values, varying, data, recording.notes)
    inputs.feed[data.placeholder] = values
    order = batch_major_order(data)
    attributes = {"sparse": int(data.sparse), "dim": -1 if data.dim is None else int(data.dim), **axes_attributes(data)}
    recording.put("/inputs/%s/data" % key, np.transpose(values, order) if values.ndim else values, **attributes)
    for axis, size in sizes.items():
        recorded_axis = order.index(axis)
        path = "/inputs/%s/sizes" % key if axis == min(sizes) else "/inputs/%s/sizes_axis%i" % (key, recorded_axis)
        recording.put(path, size, axis=recorded_axis)


def shape_and_sizes(inputs, key, index, data):
    """The shape of a key in the axis order of RETURNN's data, and {axis: lengths [B] or scalar} of its dynamic axes."""
    shape, sizes = [], {}
    for axis, dim in enumerate(data.dims):
        if dim.dimension is not None:
            shape.append(dim.dimension)
        elif axis == data.batch_dim_axis:
            shape.append(inputs.n_batch)
        elif dim.dyn_size_ext is None or dim.dyn_size_ext.placeholder is None:
            shape.append(UNKNOWN_EXTENT)
        else:
            which = len(sizes)
            sizes[axis] = sizes_of_dim(inputs, dim.dyn_size_ext, key, index, (which, data.get_batch_axis_excluding_batch(axis)))
            shape.append(int(sizes[axis].max()))
    return shape, sizes


def sizes_of_dim(inputs, lengths, key, index, numbers):
    """Lengths of one dynamic dim (RETURNN's tensor `lengths`), as given or made; the same wherever the dim occurs.

    index: of the key; numbers: of the axis, counted among the dynamic axes and without the batch.
    """
    known = RefIdEq(lengths.placeholder)
    if known in inputs.lengths:
        return inputs.lengths[known]
    given = given_sizes((inputs.options.get("seq_lens") or {}).get(key), numbers)
    sizes = np.array(given, dtype="int32") if given is not None else made_sizes(inputs, index, numbers[0])
    if len(lengths.dims) == 0:
        sizes = np.array(sizes.max(), dtype=sizes.dtype)
    elif tuple(lengths.dims) != (batch_dim,) and lengths.batch_ndim != 1:
        raise CaseError(EXIT_CONFIG, "input %s: unsupported dyn size dims %r" % (key, lengths.dims))
    inputs.lengths[known] = sizes
    if is_placeholder(lengths.placeholder):
        inputs.feed[lengths.placeholder] = sizes
    return sizes


def given_sizes(given, numbers):
    """What `seq_lens` says of an axis: a list is for the first dynamic axis, a dict has one list per axis."""
    if isinstance(given, dict):
        return given.get(numbers[0], given.get(numbers[1]))
    return given if numbers[0] == 0 else None


def made_sizes(inputs, index, which):
    """Lengths [B] by `mode`; those of a further dynamic axis (which > 0) are shorter and in reverse order."""
    mode = inputs.options.get("mode", "same")
    longest = 7
    if mode == "per_key":
        longest = max(4, 9 - 2 * index)
    if mode == "targets_short" and index > 0:
        longest = 4
    if mode == "full":
        return np.array([longest - which] * inputs.n_batch, dtype="int32")
    sizes = np.array([max(1, longest - SHORTER_BY[i % len(SHORTER_BY)]) for i in range(inputs.n_batch)], dtype="int32")
    return np.maximum(1, sizes[::-1] - which) if which else sizes


def make_values(inputs, key, data, shape):
    """The values of a key: as given, of the distribution given, or what suits its type."""
    random = np.random.RandomState(name_seed(inputs.seed, "input:" + key))
    given = (inputs.options.get("values") or {}).get(key)
    if isinstance(given, dict):
        return drawn_values(given, random, shape).astype(data.dtype)
    names = isinstance(given, (list, tuple)) and len(given) and isinstance(given[0], str)
    if isinstance(given, (list, tuple, np.ndarray)) and not names:
        values = np.array(given, dtype=data.dtype)
        if list(values.shape) != shape:
            raise CaseError(EXIT_CONFIG, "values of %s: shape %s, expected %s" % (key, values.shape, shape))
        return values
    return default_values(data, random, shape).astype(data.dtype)


def drawn_values(given, random, shape):
    """Values of a distribution {"dist": name, ...}."""
    dist = given.get("dist", "normal")
    low, high = given.get("low", 0.0), given.get("high", 1.0)
    if dist == "uniform":
        return random.uniform(low, high, size=shape)
    if dist == "int":
        return random.randint(int(low), int(high), size=shape)
    if dist == "softmax":
        weights = np.exp(random.normal(size=shape))
        return weights / weights.sum(axis=-1, keepdims=True)
    if dist == "normal":
        return random.normal(size=shape) * given.get("scale", 1.0)
    raise CaseError(EXIT_CONFIG, "unknown dist %r" % dist)


def default_values(data, random, shape):
    """Labels for sparse data, small numbers for other integers, else normally distributed values."""
    if data.sparse:
        return random.randint(0, data.dim or SPARSE_LABELS, size=shape)
    if data.dtype == "bool":
        return random.randint(0, 2, size=shape)
    if data.dtype.startswith(("int", "uint")):
        return random.randint(0, 5, size=shape)
    if data.dtype.startswith("complex"):
        return random.normal(size=shape) + 1j * random.normal(size=shape)
    return random.normal(size=shape)

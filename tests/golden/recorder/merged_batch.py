"""A batch axis that is several axes: merged with time, or each sequence with its hypotheses.

RETURNN keeps a list of virtual dims for such an axis. With keep_order (behaviour 6 and later) merge_dims lays the axes out
in the order of its option `axes`, but lists them in the order in which its input has them: ["T","B"] of [B,T,F] is listed as
batch, time and is [T*B,F], ["B","T"] of [T,B,F] the other way round. So the order comes from the merge_dims layer.
"""
import dataclasses
import typing

import numpy as np
import tensorflow as tf
from returnn.tensor import Dim
from returnn.tf.layers.basic import MergeDimsLayer
from returnn.tf.util.data import BatchInfo
from returnn.util.basic import BehaviorVersion, NotSpecified

from padding import spread, zero_unless


@dataclasses.dataclass
class BatchPart:
    """One of the axes which a batch axis is made of, outermost first. `kind`: global, padded, fixed or other.

    size: for padded the lengths [B], for fixed a scalar, else None.
    """

    kind: str
    size: typing.Optional[tf.Tensor] = None


def batch_parts(layer):
    """The BatchParts of a layer's batch axis in the order of memory; [] for the plain batch."""
    data = layer.output
    if data.batch is None or data.batch_dim_axis is None or data.batch.is_global_batch():
        return []
    dims = dims_in_memory(layer)
    parts = [batch_part(dim) for dim in dims] if dims else [BatchPart("other")]
    return [BatchPart("other")] if any(part.kind == "other" for part in parts) else parts


def is_reordered(layer):
    """Whether the parts of a layer's batch axis lie in memory otherwise than RETURNN lists them.

    Then RETURNN's lengths of the other axes, one for each row of the merged batch, are those of other rows.
    """
    batch = layer.output.batch
    if batch is None or layer.output.batch_dim_axis is None or batch.is_global_batch():
        return False
    return dims_in_memory(layer) != batch.virtual_dims


def batch_part(dim):
    """What RETURNN's virtual dim is; "other": packed, or with lengths that are not one for each sequence."""
    if isinstance(dim, BatchInfo.GlobalBatchDim):
        return BatchPart("global")
    if isinstance(dim, BatchInfo.PaddedDim):
        lengths = dim.dim_tag.dyn_size_ext
        if lengths is not None and lengths.placeholder is not None and lengths.batch_ndim == 1:
            return BatchPart("padded", lengths.placeholder)
    elif isinstance(dim, BatchInfo.FixedDim):
        return BatchPart("fixed", dim.size if tf.is_tensor(dim.size) else tf.constant(int(dim.size)))
    return BatchPart("other")


def dims_in_memory(layer, passed=()):
    """Virtual dims of a layer's batch axis, outermost first; None if it is not known which is which.

    passed: the layers on the way here: what a search accumulates over its loop has itself as source.
    """
    batch = layer.output.batch
    if isinstance(layer, MergeDimsLayer):
        axes = merged_axes(layer)
        if layer.input_data.batch_dim_axis in axes and len(axes) > 1:
            return merged_dims(layer, axes, passed)
    passed = (*passed, layer)
    for source in inner_and_sources(layer):
        if source.output.batch is batch and not any(source is other for other in passed):
            return dims_in_memory(source, passed)
    return list(batch.virtual_dims)


def inner_and_sources(layer):
    """The layers whose output may be this layer's own, with the same batch axis."""
    subnetwork = getattr(layer, "subnetwork", None)
    inner = [subnetwork.layers["output"]] if subnetwork and "output" in subnetwork.layers else []
    return inner + list(layer.sources)


def merged_axes(layer):
    """The axes of its input which a merge_dims layer merges, outermost first. Without keep_order: the batch, then the others."""
    keep_order = layer.kwargs.get("keep_order", NotSpecified)
    if keep_order is NotSpecified:
        keep_order = BehaviorVersion.get() >= 6
    source = layer.input_data
    axes = MergeDimsLayer._get_merge_axes(layer.kwargs["axes"], keep_order, source, layer.name)
    return list(axes) if keep_order else sorted(axes, key=lambda axis: (axis != source.batch_dim_axis, axis))


def merged_dims(layer, axes, passed):
    """The virtual dims which a merge_dims layer makes of these axes of its input."""
    source = layer.input_data
    before = dims_in_memory(layer.sources[0], passed)
    if before is None:
        return None
    added = [dim for dim in layer.output.batch.virtual_dims if not any(dim is other for other in before)]
    dims = []
    for axis in axes:
        if axis == source.batch_dim_axis:
            dims += before
            continue
        same = [dim for dim in added if isinstance(dim.dim_tag, Dim) and dim.dim_tag == source.dims[axis]]
        if len(added) > 1 and len(same) != 1:
            return None
        dims += same if len(added) > 1 else added
    return dims if len(dims) == len(layer.output.batch.virtual_dims) else None


def without_merged_padding(array, batch_axis, parts, sizes, n_batch):
    """`array` with zeros for the padding frames within its batch axis, and the attributes that describe this axis.

    parts: from batch_parts; sizes: {index of part: fetched size}.
    """
    kinds = ",".join(part.kind for part in parts)
    if parts[0].kind == "other":
        return array, {"merged_batch": "packed_or_other"}
    shape = [extent(part, sizes.get(i), n_batch) for i, part in enumerate(parts)]
    if int(np.prod(shape)) != array.shape[batch_axis]:
        return array, {"merged_batch": "unmasked:" + kinds}
    sequences = [part.kind for part in parts].index("global")
    valid = np.ones(shape, dtype=bool)
    for i, part in enumerate(parts):
        if part.kind == "padded":
            frames = spread(np.arange(shape[i]), (i,), len(shape))
            valid &= frames < spread(np.asarray(sizes[i]), (sequences,), len(shape))
    array = zero_unless(spread(valid.reshape(-1), (batch_axis,), array.ndim), array)
    return array, {"merged_batch": kinds, "merged_batch_shape": np.array(shape, dtype="int32")}


def extent(part, size, n_batch):
    """The extent of one part; 0 if its lengths are not those of the batch, so that the array is not masked."""
    if part.kind == "global":
        return n_batch
    if part.kind == "fixed":
        return int(size)
    return int(np.max(size)) if np.shape(size) == (n_batch,) else 0

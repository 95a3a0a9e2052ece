"""Frames beyond the end of a sequence are recorded as zero, and arrays with their batch axis in front."""
import dataclasses
import typing

import numpy as np


@dataclasses.dataclass
class Lengths:
    """Lengths of one dynamic axis; `axes`: along which axes of the array they vary, in the order of values' own axes.

    None: along an axis that the array does not have, or has twice.
    """

    values: np.ndarray
    axes: typing.Optional[tuple]


def axes_of_lengths(data, length_dims):
    """Axes of RETURNN's `data` along which lengths with these dims vary; None if a dim is no single axis of it."""
    axes = []
    for dim in length_dims:
        if dim.is_batch_dim() and data.batch_dim_axis is not None:
            axes.append(data.batch_dim_axis)
            continue
        same = [axis for axis, other in enumerate(data.dims) if other == dim]
        if len(same) != 1:
            return None
        axes.append(same[0])
    return tuple(axes)


def without_padding(array, lengths, data, notes):
    """`array` with zeros where an axis goes beyond its length. What cannot be masked stays and gets a note.

    array: in the axis order of RETURNN's `data`; lengths: {axis: Lengths}.
    """
    if array.dtype.kind in "SO" or not array.shape:
        return array
    valid = None
    for axis, its in lengths.items():
        along = its.axes if its.values.ndim else ()
        if along is None:
            notes.append("cannot mask axis %i of %s (dyn size over other dims)" % (axis, data))
            continue
        if any(its.values.shape[i] != array.shape[other] for i, other in enumerate(along)):
            shapes = (axis, data.name, its.values.shape, array.shape)
            notes.append("cannot mask axis %i of %s: size shape %s vs %s" % shapes)
            continue
        if axis in along:
            continue
        frames = spread(np.arange(array.shape[axis]), (axis,), array.ndim)
        within = frames < spread(its.values, along, array.ndim)
        valid = within if valid is None else valid & within
    return array if valid is None else zero_unless(valid, array)


def spread(values, axes, rank):
    """`values` with axes of 1 added: its i-th axis is axis axes[i] of an array of this rank."""
    order = sorted(range(len(axes)), key=lambda i: axes[i])
    shape = [1] * rank
    for i in order:
        shape[axes[i]] = values.shape[i]
    return np.transpose(values, order).reshape(shape)


def zero_unless(valid, array):
    """`array` where `valid`, which broadcasts to it, and zero elsewhere; strings have no zero."""
    if array.dtype.kind in "SO":
        return array
    return np.where(valid, array, np.zeros((), dtype=array.dtype))


def batch_major_order(data):
    """The axes of RETURNN's `data` with the batch axis in front, the others as they are."""
    order = list(range(data.batch_ndim))
    if data.batch_dim_axis is not None:
        order.remove(data.batch_dim_axis)
        order.insert(0, data.batch_dim_axis)
    return order


def axes_attributes(data):
    """Attributes `axes` and `dim_names` of a batch-major array."""
    order = batch_major_order(data)
    return {
        "axes": ",".join(axis_letter(data, axis) for axis in order),
        "dim_names": "\n".join(str(data.dims[axis].description) for axis in order),
    }


def axis_letter(data, axis):
    """B batch, T time, F feature as RETURNN has them; D another dynamic axis, S another static one."""
    special = [(data.batch_dim_axis, "B"), (data.time_dim_axis, "T"), (data.feature_dim_axis, "F")]
    for special_axis, letter in special:
        if axis == special_axis:
            return letter
    return "D" if data.dims[axis].dimension is None else "S"

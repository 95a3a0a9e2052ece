"""Outputs of the layers and losses of a case: what is fetched, and how it is recorded."""
import dataclasses
import typing

import numpy as np
import tensorflow as tf

from merged_batch import batch_parts, is_reordered, without_merged_padding
from padding import Lengths, axes_attributes, axes_of_lengths, batch_major_order, without_padding


@dataclasses.dataclass
class LayerOutput:
    """One root layer. Its fetch has "values", "sizes" {axis: lengths} and "parts" {index: size of a part of the batch axis}."""

    layer: typing.Any
    parts: list  # BatchPart
    reordered: bool  # the parts lie otherwise than RETURNN lists them: lengths along the batch axis are for other rows

    @property
    def data(self):
        return self.layer.output

    def fetches(self):
        data = self.data
        dynamic = [axis for axis, dim in enumerate(data.dims) if axis != data.batch_dim_axis and dim.dimension is None]
        lengths = {axis: data.dims[axis].dyn_size_ext for axis in dynamic}
        known = {axis: its.placeholder for axis, its in lengths.items() if its is not None and its.placeholder is not None}
        sizes = {index: part.size for index, part in enumerate(self.parts) if part.size is not None}
        return {"values": data.placeholder, "sizes": known, "parts": sizes}


def layer_outputs(net, notes):
    """{name: LayerOutput} of all root layers but the data; a layer without an output to fetch gets a note."""
    outputs = {}
    for name, layer in sorted(net.layers.items()):
        if "/" in name or ":" in name or type(layer).__name__ == "SourceLayer":
            continue
        data = layer.output
        if data is None or data.placeholder is None:
            notes.append("layer %s: no output placeholder" % name)
        elif data.beam is not None and not net.search_flag:
            notes.append("layer %s: has beam, skipped" % name)
        else:
            outputs[name] = LayerOutput(layer, batch_parts(layer), is_reordered(layer))
    return outputs


def prepared_output(name, output, fetched, n_batch, notes):
    """What is recorded of a fetched output: (array, batch-major and zero as padding, its attributes)."""
    data = output.data
    values = np.asarray(fetched["values"])
    if values.ndim != data.batch_ndim:  # e.g. image_summary
        notes.append("layer %s: tensor ndim %i vs template %s" % (name, values.ndim, data))
        return values, {"axes": "?", "note": "tensor rank differs from RETURNN's template"}
    dims = {axis: list(data.dims[axis].dyn_size_ext.dims) for axis in fetched["sizes"]}
    sizes = {axis: np.asarray(its) for axis, its in fetched["sizes"].items()}
    values = without_padding(values, known_lengths(output, sizes, dims), data, notes)
    attributes = axes_attributes(data)
    if output.parts:
        values, merged = without_merged_padding(values, data.batch_dim_axis, output.parts, fetched["parts"], n_batch)
        attributes.update(merged)
    order = batch_major_order(data)
    if values.ndim:
        values = np.transpose(values, order)
    for axis, its in sizes.items():
        attributes.update(size_attributes(order.index(axis), its, dims[axis]))
    attributes.update(layer_class=str(output.layer.layer_class), sparse=int(data.sparse))
    if data.sparse:
        attributes["dim"] = -1 if data.dim is None else int(data.dim)
    if values.dtype.kind in "fc":
        attributes["has_nan"] = int(not np.all(np.isfinite(values)))
    return values, attributes


def known_lengths(output, sizes, dims):
    """{axis: Lengths} of an output for the fetched sizes {axis: array} with these dims {axis: [Dim]}."""
    lengths = {}
    for axis, its in sizes.items():
        along = axes_of_lengths(output.data, dims[axis])
        if output.reordered and along is not None and output.data.batch_dim_axis in along:
            along = None
        lengths[axis] = Lengths(its, along)
    return lengths


def size_attributes(axis, sizes, dims):
    """Attributes sizes:<axis>, and sizes_axes:<axis> if there is not one length for each sequence."""
    attributes = {"sizes:%i" % axis: np.asarray(sizes, dtype="int32")}
    kinds = ",".join("B" if dim.is_batch_dim() else "?" for dim in dims)
    if kinds != "B":
        attributes["sizes_axes:%i" % axis] = kinds or "scalar"
    return attributes


def loss_fetches(net):
    """{path: tensor} of all losses and their sums; in a path %s is to be eval or train."""
    fetches = {}
    if not net.losses_dict:
        return fetches
    for name, loss in sorted(net.losses_dict.items()):
        parts = {
            "loss": loss.get_loss_value_for_fetch(),
            "error": loss.get_error_value(),
            "norm_factor": loss.get_norm_factor(),
            "objective": loss.get_loss_value_for_objective(),
        }
        for part, value in parts.items():
            if value is not None:
                fetches["/losses/%%s/%s/%s" % (name, part)] = value if tf.is_tensor(value) else tf.constant(value)
    totals = {"loss": net.total_loss, "constraints": net.total_constraints, "objective": net.total_objective}
    for part, value in totals.items():
        if value is not None:
            fetches["/total/%%s/%s" % part] = value if tf.is_tensor(value) else tf.constant(float(value))
    return fetches


def stats_fetches(net):
    """{path: tensor} of framewise_statistics; in a path %s is to be eval or train."""
    layers = sorted(net.layers.items())
    return {"/stats/%%s/%s/%s" % (name, key): value for name, layer in layers for key, value in layer.stats.items()}

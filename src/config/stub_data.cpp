#include "config/stub_packages.h"

namespace wende::python {

const char* const kDataSource = R"PY(
import _wende


class Dim:
    """Identity matters, not the name; sizes are found by Wende."""

    class Types:
        Unspecified = None
        Batch = "batch"
        Spatial = "spatial"
        Time = "spatial"
        Feature = "feature"

    _next = 1

    def __init__(self, dimension=None, *, kind=None, description=None, op=None, inputs=(), **other):
        if isinstance(dimension, str):
            dimension, description = None, dimension
        self.dimension = dimension
        self.kind = kind or "unspecified"
        self.description = description
        self.op = op
        self.inputs = list(inputs)
        self.id = Dim._next
        Dim._next += 1

    name = property(lambda self: self.description)
    is_batch_dim = lambda self: self.kind == "batch"
    is_spatial_dim = lambda self: self.kind == "spatial"
    is_feature_dim = lambda self: self.kind == "feature"

    def __repr__(self):
        return "Dim{%s%s}" % (self.description, "" if self.dimension is None else "(%i)" % self.dimension)

    def copy(self, **options):
        return Dim(self.dimension, kind=self.kind, description=self.description)

    def _derive(self, op, other, swap=False):
        inputs = [other, self] if swap else [self, other]
        sizes = [x.dimension if isinstance(x, Dim) else x for x in inputs]
        size = None
        if None not in sizes:
            a, b = sizes
            size = {"add": a + b, "sub": a - b, "mul": a * b, "floordiv": a // b if b else None,
                    "ceildiv": -(-a // b) if b else None}[op]
        return Dim(size, kind=self.kind, description=str(self.description) + ":" + op, op=op, inputs=inputs)

    def __add__(self, other): return self._derive("add", other)
    def __radd__(self, other): return self._derive("add", other, True)
    def __sub__(self, other): return self._derive("sub", other)
    def __rsub__(self, other): return self._derive("sub", other, True)
    def __mul__(self, other): return self._derive("mul", other)
    def __rmul__(self, other): return self._derive("mul", other, True)
    def __floordiv__(self, other): return self._derive("floordiv", other)
    def __truediv__(self, other): return self._derive("floordiv", other)
    def ceildiv_right(self, other): return self._derive("ceildiv", other)
    def div_left(self, other): return self._derive("floordiv", other)


def SpatialDim(description, dimension=None, **other):
    return Dim(dimension, kind="spatial", description=description)


def FeatureDim(description, dimension=None, **other):
    return Dim(dimension, kind="feature", description=description)


def ImplicitSparseDim(dim): return ("implicit", dim)
def ImplicitDynSizeDim(dim): return ("implicit", dim)
def OptionalDim(dim): return ("optional", dim)


batch_dim = Dim(None, kind="batch", description="batch")
single_step_dim = Dim(1, kind="spatial", description="single-step")


class SourceDim(Dim):
    """An axis of a source of the layer that is built."""

    def __init__(self, source, axis, dimension, kind, description):
        Dim.__init__(self, dimension, kind=kind, description=description)
        self.source, self.axis = source, axis


class Lengths:
    """Lengths of a source's axis, as a function of out_type may hand them on."""
    def __init__(self, source, axis): self.source, self.axis = source, axis


def _moved(mark, axis, by):
    return mark if mark is None or mark < axis else mark + by


class Data:
    """A template: what functions of out_type get and give, and source(i, as_data=True) with its tensor."""

    SpecialAxesNames = ("batch_dim_axis", "time_dim_axis", "feature_dim_axis")
    _plain = ("dtype", "sparse", "sparse_dim", "time_dim_axis", "feature_dim_axis", "placeholder", "beam", "batch", "vocab", "version",
              "available_for_inference", "mask", "search_choices")

    def __init__(self, name=None, **options):
        tags = options.pop("dim_tags", None)
        if tags is not None:
            options["dims"] = tags
        self.options = options
        self.name = name

    def __getattr__(self, name):
        if name not in Data._plain:
            raise AttributeError("Data has no %r in Wende; it has %s" % (name, ", ".join(sorted(n for n in dir(Data) if n[0] != "_"))))
        return self.options.get(name)

    def __setattr__(self, name, value):
        if name in ("name", "options"):
            return object.__setattr__(self, name, value)
        options = dict(self.options)
        dims = options.get("dims")
        if dims is not None and name == "dim" and not self.sparse and self.feature_dim_axis is not None:
            name, value = "dims", self._replaced(self.feature_dim_axis, value)
        elif dims is not None and name == "shape" and len(value) == self.ndim:
            sizes = iter(value)
            new = [dim if dim.is_batch_dim() else next(sizes) for dim in dims]
            name, value = "dims", [old if n is None else self._as_dim(n, old) for n, old in zip(new, dims)]
        elif dims is not None and name in ("shape", "batch_dim_axis"):
            options.update(shape=self.shape, dim=self.dim, batch_dim_axis=self.batch_dim_axis, dims=None)
        options[name] = value
        self.options = options

    @staticmethod
    def _as_dim(size, old):
        if isinstance(size, Dim):
            return size
        return old if size == old.dimension else Dim(size, kind=old.kind, description=old.description)

    def _replaced(self, axis, new):
        dims = list(self.dims)
        dims[axis] = self._as_dim(new, dims[axis])
        return dims

    def _changed(self, name=None, **options):
        return Data(name or self.name, **dict(self.options, **options))

    def _template(self, name=None, **options):
        return self._changed(name, placeholder=None, lengths=None, size_placeholder=None, **options)

    def _permuted(self, order):
        if order == list(range(len(order))):
            return self
        options = {key: None if self.options.get(key) is None else order.index(self.options[key]) for key in self.SpecialAxesNames[1:]}
        if self.placeholder is not None:
            options["placeholder"] = _wende.trace("transpose", (self.placeholder, order), {})
        return self._changed(dims=[self.dims[axis] for axis in order], **options)

    def _with_axis_first(self, axis):
        rest = [i for i in range(self.batch_ndim) if i != axis]
        return self if axis is None else self._permuted([axis] + rest)

    def _dims_of_shape(self):
        dims = [Dim(size, kind="spatial", description="axis %i" % i) for i, size in enumerate(self.options.get("shape") or ())]
        if self.batch_dim_axis is not None:
            dims.insert(self.batch_dim_axis, batch_dim)
        return dims

    dims = property(lambda self: tuple(self._dims_of_shape() if self.options.get("dims") is None else self.options["dims"]))
    dim_tags = dims
    shape = property(lambda self: self.options.get("shape") if self.options.get("dims") is None
                     else tuple(dim.dimension for dim in self.dims if not dim.is_batch_dim()))
    batch_shape = property(lambda self: tuple(dim.dimension for dim in self.dims))
    ndim = property(lambda self: len(self.shape))
    batch_ndim = property(lambda self: len(self.dims))

    @property
    def batch_dim_axis(self):
        if self.options.get("dims") is None:
            return self.options.get("batch_dim_axis")
        return next((i for i, dim in enumerate(self.options["dims"]) if dim.is_batch_dim()), None)

    @property
    def dim(self):
        if self.options.get("dims") is None or self.sparse or self.feature_dim_axis is None:
            return self.options.get("dim")
        return self.dims[self.feature_dim_axis].dimension

    @property
    def feature_dim_or_sparse_dim(self):
        if self.sparse:
            return self.sparse_dim or FeatureDim("sparse", self.dim)
        return None if self.feature_dim_axis is None else self.dims[self.feature_dim_axis]

    @property
    def size_placeholder(self):
        given = self.options.get("size_placeholder")
        if given is not None:
            return given
        rest = [dim for dim in self.dims if not dim.is_batch_dim()]
        return {i: Lengths(dim.source, dim.axis) for i, dim in enumerate(rest) if dim.dimension is None and isinstance(dim, SourceDim)}

    def get_dynamic_size(self, axis):
        tensor = self.get_sequence_lengths() if axis == self.time_dim_axis else None
        rest = [i for i in range(self.batch_ndim) if i != self.batch_dim_axis]
        return tensor if tensor is not None else self.size_placeholder[rest.index(axis)]

    def get_sequence_lengths(self):
        if self.options.get("lengths") is not None:
            return self.options["lengths"]
        dim = self.get_time_dim_tag()
        return Lengths(dim.source, dim.axis)

    is_batch_major = property(lambda self: self.batch_dim_axis == 0)
    is_time_major = property(lambda self: self.time_dim_axis == 0)
    def have_time_axis(self): return self.time_dim_axis is not None
    def have_batch_axis(self): return self.batch_dim_axis is not None
    def have_feature_axis(self): return self.feature_dim_axis is not None
    def get_dim(self, axis): return self.batch_shape[axis]
    def get_dim_tag(self, axis): return self.dims[axis]
    def get_time_dim_tag(self): return self.dims[self.time_dim_axis]
    def get_batch_dim_tag(self): return self.dims[self.batch_dim_axis]
    def get_spatial_batch_axes(self):
        marks = (self.batch_dim_axis, self.feature_dim_axis)
        return [i for i in range(self.batch_ndim) if i not in marks or i == self.time_dim_axis]
    def get_dynamic_axes(self):
        return [i for i, dim in enumerate(self.dims) if dim.dimension is None and i != self.batch_dim_axis]
    def get_static_axes(self):
        return [i for i, dim in enumerate(self.dims) if dim.dimension is not None and i != self.batch_dim_axis]

    def copy(self, name=None): return self._changed(name)
    def copy_template(self, name=None, dtype=None): return self._template(name, **({"dtype": dtype} if dtype else {}))
    def copy_as_batch_major(self): return self._with_axis_first(self.batch_dim_axis)
    def copy_as_time_major(self): return self._with_axis_first(self.time_dim_axis)
    def copy_as_bt_or_tb_major(self):
        both = [self.batch_dim_axis, self.time_dim_axis]
        return self if None in both or sorted(both) == [0, 1] else self._permuted(both + [i for i in range(self.batch_ndim) if i not in both])
    def copy_with_feature_last(self):
        axis = self.feature_dim_axis
        return self if axis is None else self._permuted([i for i in range(self.batch_ndim) if i != axis] + [axis])
    def get_placeholder_as_batch_major(self): return self.copy_as_batch_major().placeholder
    def get_placeholder_as_time_major(self): return self.copy_as_time_major().placeholder

    def copy_template_excluding_axis(self, exclude_axis, name=None):
        axis = exclude_axis % self.batch_ndim
        marks = {key: None if self.options.get(key) == axis else _moved(self.options.get(key), axis, -1) for key in self.SpecialAxesNames[1:]}
        return self._template(name, dims=[dim for i, dim in enumerate(self.dims) if i != axis], **marks)

    def copy_template_excluding_time_dim(self, name=None): return self.copy_template_excluding_axis(self.time_dim_axis, name)
    def copy_template_excluding_spatial_dim(self, spatial_axis_num, name=None):
        return self.copy_template_excluding_axis(self.get_spatial_batch_axes()[spatial_axis_num], name)
    def copy_template_replace_dim(self, axis, new_dim): return self._template(dims=self._replaced(axis, new_dim))
    def copy_template_replace_dim_tag(self, axis, new_dim_tag, name=None): return self._template(name, dims=self._replaced(axis, new_dim_tag))
    def copy_add_dim_by_tag(self, dim_tag, unbroadcast=False, axis=None):
        axis = 0 if axis is None else axis
        marks = {key: _moved(self.options.get(key), axis, 1) for key in self.SpecialAxesNames[1:]}
        return self._template(dims=list(self.dims[:axis]) + [dim_tag] + list(self.dims[axis:]), **marks)
    def copy_template_new_dim_tags(self, new_dim_tags, name=None, keep_special_axes=False):
        marks = {key: self.options.get(key) for key in self.SpecialAxesNames[1:]} if keep_special_axes else {}
        options = {key: self.options[key] for key in ("dtype", "sparse", "sparse_dim") if key in self.options}
        if self.sparse and self.options.get("dim"):
            options["dim"] = self.options["dim"]
        return Data(name or self.name, dims=list(new_dim_tags), **options, **marks)

    def _content(self):
        content = {"name": self.name}
        options = {key: value for key, value in self.options.items() if key not in ("placeholder", "lengths", "mask")}
        if options.get("dims") is not None:
            options["dims"] = [("source", dim.source, dim.axis) if isinstance(dim, SourceDim) else dim for dim in options["dims"]]
            for key in ("shape", "batch_dim_axis", "size_placeholder") + (() if self.sparse else ("dim",)):
                options.pop(key, None)
        shape, dim = options.get("shape"), options.get("dim")
        if shape and dim and not options.get("sparse") and shape[-1] and shape[-1] != dim:
            options["shape"] = tuple(shape[:-1]) + (dim,)
        for key, value in options.items():
            if key == "size_placeholder" and value:
                value = {axis: {"__wende_lengths__": (size.source, size.axis)} if isinstance(size, Lengths) else size
                         for axis, size in value.items()}
            content[key] = value
        return content


class SourceLayer:
    search_choices = None
    def __init__(self, name, output, **rest):
        self.name, self.output = name, output
        self.__dict__.update(rest)


def make_object(content):
    """C++ describes objects as dicts."""
    content = dict(content)
    if "__wende_layer__" in content:
        return SourceLayer(content.pop("__wende_layer__"), **content)
    source = content["__wende_data__"]
    content["dims"] = [SourceDim(source, axis, *dim) for axis, dim in enumerate(content["dims"])]
    return Data(content.pop("name", None), **content)


_wende.__dict__.update(Data=Data, Dim=Dim, make_object=make_object)
)PY";

}  // namespace wende::python

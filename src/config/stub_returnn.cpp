#include "config/stub_packages.h"

namespace wende::python {

const char* const kReturnnSource = R"PY(
from _wende import Config, install, legacy, state
import sys
import _wende


class NotSpecified:
    def __repr__(self):
        return "<NotSpecified>"


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


class NumbersDict(dict):
    """A number per data key; a plain number stands for all keys."""

    def __init__(self, *args, **kwargs):
        self.broadcast = None
        if args and isinstance(args[0], (int, float)):
            self.broadcast, args = args[0], ()
        dict.__init__(self, *args, **kwargs)

    def __missing__(self, key):
        if self.broadcast is None:
            raise KeyError(key)
        return self.broadcast


def get_login_username():
    import os
    return os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.getuid())


class CollectionReadCheckCovered:
    def __init__(self, collection):
        self.collection = collection


def get_global_config(raise_exception=True, auto_create=False):
    if state["config"] is None and raise_exception:
        raise Exception("no global config")
    return state["config"]


def cf(filename):
    return filename



class WrapEpochValue:
    """A value that depends on the epoch: called with it."""

    def __init__(self, func):
        self.func = func

    def __call__(self, *args, epoch=None, **kwargs):
        return self.func(epoch if epoch is not None else args[0])

    get_value = __call__


class Lengths:
    """Lengths of a source's time axis, as a function of out_type may hand them on."""
    def __init__(self, source): self.source = source


class Data:
    """A template: what functions of out_type get and give, and source(i, as_data=True) with its tensor."""

    SpecialAxesNames = ("batch_dim_axis", "time_dim_axis", "feature_dim_axis")

    def __init__(self, name=None, **options):
        self.options = options
        self.name = name

    def __getattr__(self, name):
        if name[:2] == "__" or name == "options":
            raise AttributeError(name)
        return self.options.get(name)

    def __setattr__(self, name, value):
        if name in ("name", "options"):
            object.__setattr__(self, name, value)
        else:
            self.options = dict(self.options, **{name: value})

    def _changed(self, name=None, **options):
        return Data(name or self.name, **dict(self.options, **options))

    def copy(self, name=None): return self._changed(name)
    def copy_template(self, name=None, dtype=None): return self._changed(name, **({"dtype": dtype} if dtype else {}))

    def _with_axis_first(self, axis):
        """Moves an axis to the front: of the tensor, if there is one, and in what the marks say."""
        if axis in (0, None):
            return self
        moved = lambda mark: None if mark is None else 0 if mark == axis else mark + (mark < axis)
        options = {key: moved(self.options.get(key)) for key in self.SpecialAxesNames}
        shape = list(self.batch_shape)
        shape.insert(0, shape.pop(axis))
        if options["batch_dim_axis"] is not None:
            shape.pop(options["batch_dim_axis"])
        if self.placeholder is not None:
            order = [axis] + [i for i in range(self.batch_ndim) if i != axis]
            options["placeholder"] = _wende.trace("transpose", (self.placeholder, order), {})
        return self._changed(shape=tuple(shape), **options)

    def copy_template_replace_dim(self, axis, new_dim):
        shape = list(self.batch_shape)
        shape[axis] = new_dim
        if self.batch_dim_axis is not None:
            shape.pop(self.batch_dim_axis)
        is_feature = axis == self.feature_dim_axis
        return self._changed(shape=tuple(shape), placeholder=None, **({"dim": new_dim} if is_feature else {}))

    def copy_as_batch_major(self): return self._with_axis_first(self.batch_dim_axis)
    def copy_as_time_major(self): return self._with_axis_first(self.time_dim_axis)

    batch_ndim = property(lambda self: len(self.shape) + (self.batch_dim_axis is not None))
    ndim = property(lambda self: len(self.shape))
    batch_shape = property(lambda self: _with_batch(self.shape, self.batch_dim_axis))
    def have_time_axis(self): return self.time_dim_axis is not None
    def have_batch_axis(self): return self.batch_dim_axis is not None
    def get_sequence_lengths(self):
        return self.options.get("lengths", Lengths(self.options.get("__wende_data__", 0)))
    def get_dim(self, axis): return self.batch_shape[axis]
    def get_placeholder_as_batch_major(self): return self.copy_as_batch_major().placeholder
    def get_placeholder_as_time_major(self): return self.copy_as_time_major().placeholder
    def have_feature_axis(self): return self.feature_dim_axis is not None
    is_batch_major = property(lambda self: self.batch_dim_axis == 0)
    is_time_major = property(lambda self: self.time_dim_axis == 0)

    def _content(self):
        content = {"name": self.name}
        options = dict(self.options)
        shape, dim = options.get("shape"), options.get("dim")
        if shape and dim and not options.get("sparse") and shape[-1] and shape[-1] != dim:
            options["shape"] = tuple(shape[:-1]) + (dim,)
        for key, value in options.items():
            if key in ("placeholder", "lengths", "mask"):
                continue
            if key == "size_placeholder" and value:
                value = {axis: {"__wende_lengths__": size.source} if isinstance(size, Lengths) else size
                         for axis, size in value.items()}
            content[key] = value
        return content


def _with_batch(shape, axis):
    shape = list(shape)
    if axis is not None:
        shape.insert(axis, None)
    return tuple(shape)


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
    return Data(content.pop("name", None), **content)


dims = dict(Data=Data, Tensor=Data, Dim=Dim, DimensionTag=Dim, SpatialDim=SpatialDim, FeatureDim=FeatureDim, batch_dim=batch_dim,
            single_step_dim=single_step_dim, ImplicitSparseDim=ImplicitSparseDim,
            ImplicitDynSizeDim=ImplicitDynSizeDim, OptionalDim=OptionalDim)
basic = dict(get_login_username=get_login_username, NumbersDict=NumbersDict, NotSpecified=NotSpecified,
             CollectionReadCheckCovered=CollectionReadCheckCovered, cf=cf)
_wende.__dict__.update(Data=Data, make_object=make_object)
install("returnn", {"__version__": "1.20260101", "__long_version__": "1.20260101+wende"})
install("returnn.util", {})
install("returnn.util.basic", basic)
install("returnn.config", dict(get_global_config=get_global_config, Config=Config))
install("returnn.tensor", dims)
install("returnn.tf", {})
install("returnn.tf.util", {})
install("returnn.tf.util.data", dims)
install("returnn.tf.layers", {})
install("returnn.import_", dict(import_=lambda *args, **kwargs: None))
install("returnn.pretrain", dict(WrapEpochValue=WrapEpochValue))
for old, new in (("Util", "returnn.util.basic"), ("Config", "returnn.config"), ("Pretrain", "returnn.pretrain")):
    legacy[old] = new
    sys.modules[old] = sys.modules[new]
)PY";

}  // namespace wende::python

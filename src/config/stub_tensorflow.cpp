#include "config/stub_packages.h"

namespace wende::python {

const char* const kTensorflowSource = R"PY(
import sys
import _wende
from _wende import install, old_name, state, trace


class DType(str):
    __slots__ = ()
    name = property(lambda self: str(self))
    base_dtype = property(lambda self: self)
    as_numpy_dtype = property(lambda self: str(self))
    is_floating = property(lambda self: "float" in self)
    is_integer = property(lambda self: "int" in self)
    is_bool = property(lambda self: self == "bool")
    is_complex = property(lambda self: self == "complex64")
    min = property(lambda self: _limits[str(self)][0])
    max = property(lambda self: _limits[str(self)][1])


_limits = {"float32": (-3.4028234663852886e38, 3.4028234663852886e38), "float16": (-65504.0, 65504.0),
           "float64": (-1.7976931348623157e308, 1.7976931348623157e308), "bool": (False, True),
           "uint8": (0, 255), "int8": (-128, 127), "int16": (-32768, 32767),
           "int32": (-2147483648, 2147483647), "int64": (-9223372036854775808, 9223372036854775807)}


class TensorShape(tuple):
    ndims = property(lambda self: len(self))
    rank = property(lambda self: len(self))
    dims = property(lambda self: list(self))
    def as_list(self): return list(self)


class Tensor:
    __slots__ = ("handle", "__weakref__")
    __hash__ = object.__hash__

    @property
    def shape(self): return TensorShape(trace("static_shape", (self,), {}))

    @property
    def dtype(self): return DType(trace("dtype", (self,), {}))

    def get_shape(self): return self.shape
    def set_shape(self, shape): pass

    def __bool__(self):
        raise TypeError("a tensor has no truth value while the network is built; use tf.where or tf.cond")

    def __iter__(self): raise TypeError("cannot loop over a tensor while the network is built")
    def __len__(self): raise TypeError("a tensor has no len(); use tf.shape(x)[axis]")
    def __float__(self): raise TypeError("the numbers of a tensor are not known while the network is built")
    __int__ = __index__ = __float__

    def __getitem__(self, key): return trace("getitem", (self, _index(key)), {})

    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        return trace("attr", (self, name), {})


def _index(key):
    """Slices arrive as ("slice", start, stop, step), `...` as "...", new axes as None."""
    if isinstance(key, tuple):
        return tuple([_index(item) for item in key])
    if isinstance(key, slice):
        return ("slice", key.start, key.stop, key.step)
    return "..." if key is Ellipsis else key


def _operators():
    for op in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor"):
        name = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}.get(op, op)
        setattr(Tensor, "__%s__" % op, lambda a, b, name=name: trace(name, (a, b), {}))
        setattr(Tensor, "__r%s__" % op, lambda a, b, name=name: trace(name, (b, a), {}))
    for op, name in (("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal"),
                     ("eq", "equal"), ("ne", "not_equal")):
        setattr(Tensor, "__%s__" % op, lambda a, b, name=name: trace(name, (a, b), {}))
    for op, name in (("neg", "neg"), ("abs", "abs"), ("invert", "logical_not")):
        setattr(Tensor, "__%s__" % op, lambda a, name=name: trace(name, (a,), {}))


_operators()


class Scope:
    """tf.name_scope and the like: nothing to do."""
    def __init__(self, *args, **kwargs): pass
    def __enter__(self): return ""
    def __exit__(self, *exc): return False


class Function:
    """A name of the module: called, it is traced; its attributes are longer names."""

    def __init__(self, name): self.__dict__["__name__"] = name
    def __call__(self, *args, **kwargs): return trace(self.__name__, args, kwargs)
    def __getattr__(self, name): return _name(self.__name__, name)
    def __repr__(self): return "<tf.%s>" % self.__name__


_dtypes = ("float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool", "string", "complex64")
_fixed = {name: DType(name) for name in _dtypes}
_fixed.update(newaxis=None, Tensor=Tensor, TensorShape=TensorShape, DType=DType, __version__="2.10.0",
              name_scope=Scope, variable_scope=Scope, control_dependencies=Scope, device=Scope, AUTO_REUSE=None,
              as_dtype=DType)


def _name(prefix, name):
    if name[:2] == "__" and name not in _fixed:
        raise AttributeError(name)
    if name in _fixed and prefix in ("", "dtypes"):
        return _fixed[name]
    full = prefix + "." + name if prefix else name
    return Function(full)


def _module(module_name, prefix):
    module = install(module_name, {"__getattr__": lambda name: _name(prefix, name)})
    return module


for _module_name, _prefix in (
        ("tensorflow", ""), ("tensorflow.nn", "nn"), ("tensorflow.math", "math"), ("tensorflow.random", "random"),
        ("tensorflow.image", "image"), ("tensorflow.signal", "signal"), ("tensorflow.linalg", "linalg"),
        ("tensorflow.dtypes", "dtypes"), ("tensorflow.debugging", "debugging"), ("tensorflow.summary", "summary"),
        ("tensorflow.compat", ""), ("tensorflow.compat.v1", ""), ("tensorflow.compat.v2", "")):
    _module(_module_name, _prefix)
tensorflow = sys.modules["tensorflow"]
tensorflow.compat.v1 = sys.modules["tensorflow.compat.v1"]
install("returnn.tf.compat", dict(v1=tensorflow, v2=tensorflow))
sys.modules["returnn.tf.compat.v1"] = tensorflow


class Network:
    """`self.network` of eval strings and the `network` of config functions."""
    _config = property(lambda self: state["config"])
    def get_config(self): return state["config"]
    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        if name in ("global_train_step", "train_flag"):
            return trace("network." + name, (), {})
        return Function("network." + name)


class Layer:
    network = Network()
    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        return trace("layer." + name, (), {})


util_names = ("safe_log", "safe_exp", "where_bc", "expand_dims_unbroadcast", "dimshuffle", "swapaxes", "get_shape",
              "get_shape_dim", "sequence_mask", "sequence_mask_time_major", "identity", "to_float", "to_int32",
              "expand_multiple_dims", "move_axis", "constant_with_shape", "cond", "gelu", "mish", "swish",
              "random_uniform_abs1_initializer", "get_random_seed", "tile_transposed", "same_shape", "unbroadcast_to_common_shape",
              "optional_add", "optional_mul", "gelu2", "gelu3", "lin_exp", "lin_exp_normed", "l1_normalized", "flip_gradient",
              "scaled_gradient", "maximum_with_identity_grad", "minimum_with_identity_grad", "get_global_train_flag", "spatial_smoothing_energy", "get_ndim", "print_op")
util = {name: Function("util." + name) for name in util_names}
_dims = sys.modules["returnn.tensor"]


def dropout(x, keep_prob, noise_shape=None, seed=None, name=None, cond_on_train=False, apply_correction_factor=True,
            grad_checkpointing=False):
    if cond_on_train and not trace("get_global_train_flag", (), {}):
        return x
    if apply_correction_factor and not isinstance(keep_prob, Tensor):
        return trace("nn.dropout", (x,), dict(keep_prob=keep_prob, noise_shape=noise_shape))
    shape = trace("shape", (x,), {})
    if noise_shape is not None:
        shape = [shape[i] if size is None else size for i, size in enumerate(noise_shape)]
    mask = trace("floor", (trace("random_uniform", (shape,), {}) + keep_prob,), {})
    return x * (mask / keep_prob if apply_correction_factor else mask)


def _util_name(name):
    """What Wende lacks is refused where it is called: many configs import more than they use."""
    if name[:2] == "__":
        raise AttributeError(name)
    return Function("util." + name)


util.update(dropout=dropout)
install("returnn.tf.util.basic", dict(util, tf=tensorflow, Data=_dims.Data, Dim=_dims.Dim, DimensionTag=_dims.Dim,
                                      __getattr__=_util_name))
install("returnn.tf.network", dict(TFNetwork=Network))
for _old, _new in (("TFUtil", "returnn.tf.util.basic"), ("TFCompat", "returnn.tf.compat"), ("TFNetwork", "returnn.tf.network")):
    old_name(_old, _new)


def eval_namespace():
    import math
    names = dict(util)
    names.update({name: Function(name) for name in (
        "minimum", "maximum", "equal", "not_equal", "less", "greater", "less_equal", "greater_equal", "logical_and",
        "logical_or", "logical_not", "where", "squared_difference")})
    names.update(tf=tensorflow, math=math, self=Layer(), network=Layer.network,
                 get_global_config=lambda: state["config"])
    return names


_wende.__dict__.update(Tensor=Tensor, eval_namespace=eval_namespace, Dim=sys.modules["returnn.tensor"].Dim)
)PY";

}  // namespace wende::python

#include "config/stub_packages.h"

namespace wende::python {

const char* const kLayersSource = R"PY(
from _wende import install, old_name, state, trace
import _wende
import sys

_data = sys.modules["returnn.tensor"].Data
_network = sys.modules["returnn.tf.network"].TFNetwork


class _Scope:
    def __init__(self, *args, **kwargs): pass
    def __enter__(self): return self
    def __exit__(self, *exc): return False


def get_concat_sources_data_template(sources, name=None):
    """One source, or all of them side by side on the feature axis."""
    data = sources[0].output.copy(name)
    if len(sources) > 1:
        data.dim = sum(source.output.dim for source in sources)
        data.shape = data.shape[:-1] + (data.dim,)
    return data


class LayerBase:
    """A layer class of the config: get_out_data_from_opts gives its template, __init__ computes self.output.placeholder."""

    layer_class = None
    recurrent = False
    search_choices = None
    params = property(lambda self: self._params)

    def __init__(self, name=None, network=None, output=None, sources=(), **options):
        self.name, self.network, self.output, self.sources = name, network, output, list(sources)
        self._params = {}

    @classmethod
    def get_out_data_from_opts(cls, name=None, sources=(), n_out=None, **options):
        data = get_concat_sources_data_template(list(sources), name)
        if n_out:
            data.dim = n_out
        return data

    def add_param(self, param, **options): return param
    def var_creation_scope(self, **options): return _Scope()
    def get_absolute_name(self): return self.name
    def get_absolute_name_scope_prefix(self): return self.name + "/"


class _ConcatInputLayer(LayerBase):
    """self.input_data: the sources side by side, after dropout."""

    def __init__(self, _wende_input=None, **options):
        LayerBase.__init__(self, **options)
        self.input_data = _wende_input


class CopyLayer(_ConcatInputLayer):
    def __init__(self, **options):
        _ConcatInputLayer.__init__(self, **options)
        self.output.placeholder = self.input_data.placeholder


# What a class may define that is about more than a template and a tensor.
_unsupported = ("transform_config_dict", "get_rec_initial_extra_outputs", "get_rec_initial_output", "get_constraints_value",
                "get_losses", "get_sub_layer", "get_search_choices", "get_dep_layers", "get_error_value", "get_loss_value")


def register_layer_class(cls):
    if not (isinstance(cls, type) and issubclass(cls, LayerBase) and isinstance(cls.layer_class, str)):
        raise TypeError("register_layer_class needs a subclass of LayerBase with layer_class, got %r" % (cls,))
    classes[cls.layer_class] = cls


classes = {}


def _layer_class(name):
    """The functions of a class of the config for Wende; None: there is none of this name."""
    cls = classes.get(name)
    if cls is None:
        return None
    for base in cls.__mro__:
        if base in (_ConcatInputLayer, LayerBase, CopyLayer):
            break
        for method in _unsupported:
            if method in vars(base):
                raise NotImplementedError("layer class %s of the config defines %s; Wende runs __init__ and "
                                          "get_out_data_from_opts of such classes only" % (base.__name__, method))

    def template(name, sources, n_out, network, **options):
        if n_out is not None:
            options["n_out"] = n_out
        return cls.get_out_data_from_opts(name=name, sources=sources, network=_network(), **options)

    def build(name, sources, output, options, input=None):
        if input is not None:
            options = dict(options, _wende_input=input)
        layer = cls(name=name, network=_network(), output=output, sources=sources, **options)
        if layer.output.placeholder is None:
            raise ValueError("%s.__init__ did not set self.output.placeholder" % cls.__name__)
        return layer.output.placeholder

    return {"template": template, "build": build, "concatenates": issubclass(cls, _ConcatInputLayer)}


_base = dict(LayerBase=LayerBase, _ConcatInputLayer=_ConcatInputLayer, ConcatInputLayer=_ConcatInputLayer,
             CopyLayer=CopyLayer, register_layer_class=register_layer_class, SearchChoices=type("SearchChoices", (), {}),
             get_concat_sources_data_template=get_concat_sources_data_template)
install("returnn.tf.layers.base", _base)
install("returnn.tf.layers.basic", _base)
old_name("TFNetworkLayer", "returnn.tf.layers.basic")
_names = _wende.eval_namespace
_wende.eval_namespace = lambda: dict(_names(), _wende_layer_class=_layer_class)
)PY";

}  // namespace wende::python

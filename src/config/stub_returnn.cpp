#include "config/stub_packages.h"

namespace wende::python {

const char* const kReturnnSource = R"PY(
from _wende import Config, install, legacy, state
import sys
from _wende_data import (Data, Dim, FeatureDim, ImplicitDynSizeDim, ImplicitSparseDim, OptionalDim, SpatialDim, batch_dim,
                         single_step_dim)


class NotSpecified:
    def __repr__(self):
        return "<NotSpecified>"


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


dims = dict(Data=Data, Tensor=Data, Dim=Dim, DimensionTag=Dim, SpatialDim=SpatialDim, FeatureDim=FeatureDim, batch_dim=batch_dim,
            single_step_dim=single_step_dim, ImplicitSparseDim=ImplicitSparseDim,
            ImplicitDynSizeDim=ImplicitDynSizeDim, OptionalDim=OptionalDim)
basic = dict(get_login_username=get_login_username, NumbersDict=NumbersDict, NotSpecified=NotSpecified,
             CollectionReadCheckCovered=CollectionReadCheckCovered, cf=cf)
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

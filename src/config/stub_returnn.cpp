#include "config/stub_packages.h"

namespace wende::python {

const char* const kReturnnSource = R"PY(
from _wende import Config, install, old_name, state
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


def cleanup_env_var_path(env_var, path_prefix):
    """Takes the paths that begin with path_prefix out of os.environ[env_var]."""
    import os
    if env_var in os.environ:
        paths = os.environ[env_var].split(":")
        os.environ[env_var] = ":".join([path for path in paths if not path.startswith(path_prefix)])


def generic_import_module(filename):
    """A module by its name or its file; the file's package, if any, is found by its __init__.py."""
    import importlib
    import os
    if not filename.endswith(".py") and "/" not in filename:
        return importlib.import_module(filename)
    folder, names = os.path.split(os.path.splitext(filename)[0])
    while os.path.exists(folder + "/__init__.py"):
        folder, name = os.path.split(folder)
        names = name + "." + names
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(names)


def load_txt_vector(filename):
    """A number per line; lines of XML around them are left out."""
    with open(filename) as file:
        return [float(line) for line in file.read().splitlines() if line and line[0] != "<"]


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
             CollectionReadCheckCovered=CollectionReadCheckCovered, cf=cf, cleanup_env_var_path=cleanup_env_var_path,
             generic_import_module=generic_import_module, load_txt_vector=load_txt_vector, PY3=True, unicode=str,
             long=int, py2_utf8_str_to_unicode=lambda text: text)
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


class Lexicon:
    """A pronunciation lexicon (XML, also .gz): phonemes, and for each word its pronunciations with scores."""

    def __init__(self, filename):
        from xml.etree import ElementTree
        import gzip
        self.phoneme_list, self.phonemes, self.lemmas = [], {}, {}
        with (gzip.open if filename.endswith(".gz") else open)(filename, "rb") as file:
            root = ElementTree.parse(file).getroot()
        for item in root.iter("phoneme"):
            symbol = item.findtext("symbol").strip()
            self.phonemes[symbol] = {"index": len(self.phonemes), "symbol": symbol,
                                     "variation": item.findtext("variation", "context").strip()}
            self.phoneme_list.append(symbol)
        for item in root.iter("lemma"):
            phons = [{"phon": phon.text.strip(), "score": float(phon.get("score", 0))} for phon in item.findall("phon")]
            for orth in item.findall("orth"):
                word = (orth.text or "").strip()
                self.lemmas[word] = {"orth": word, "phons": phons}


install("returnn.datasets", {})
install("returnn.datasets.lm", dict(Lexicon=Lexicon))
for _old, _new in (("Util", "returnn.util.basic"), ("Config", "returnn.config"), ("Pretrain", "returnn.pretrain"),
                   ("LmDataset", "returnn.datasets.lm")):
    old_name(_old, _new)
)PY";

}  // namespace wende::python

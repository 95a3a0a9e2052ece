#include "config/stub_packages.h"

namespace wende::python {

const char* const kCoreSource = R"PY(
import sys
import _ast
import _imp
import posix
from _wende_native import trace

ModuleType = type(sys)
state = {"config": None}
config_globals = {}


def getlogin(real=posix.getlogin):
    """os.getlogin() raises where there is no terminal, as in batch jobs; configs put it into paths."""
    try:
        return real()
    except OSError:
        names = [posix.environ.get(key) for key in (b"LOGNAME", b"USER")]
        return next((name.decode() for name in names if name), str(posix.getuid()))


posix.getlogin = getlogin


limits = {}


def set_limits(seconds, gib):
    limits.update(seconds=seconds, gib=gib)


class EvaluationLimit(BaseException):
    pass


class TimeLimit(EvaluationLimit):
    def __str__(self):
        return "config evaluation exceeded %g s (WENDE_CONFIG_SECONDS)" % limits["seconds"]


class MemoryLimit(EvaluationLimit):
    def __str__(self):
        return "config evaluation exceeded %g GiB (WENDE_CONFIG_GIB)" % limits["gib"]


def new_config(names, overrides, filename):
    global config_globals
    config_globals = names
    state["config"] = Config(names, overrides)
    names.update(config=state["config"], __file__=filename, __name__="__returnn_config__")
    return state["config"]


def execute(tree, filename, names):
    try:
        exec(compile(tree, filename, "exec", dont_inherit=True), names)
    except MemoryError as error:
        raise MemoryLimit().with_traceback(error.__traceback__) from None


def evaluate(source, names):
    return eval(compile(source.strip(), "<eval>", "eval", dont_inherit=True), names)


def parse(source, filename):
    return compile(source, filename, "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)


class Config:
    """What configs see as `config` and get from get_global_config()."""

    def __init__(self, typed_dict, overrides):
        self.typed_dict = typed_dict
        self.dict = typed_dict
        self._overrides = overrides

    def _get(self, key, default=None):
        if key in self._overrides:
            return self._overrides[key]
        return self.typed_dict.get(key, default)

    def has(self, key):
        return key in self._overrides or key in self.typed_dict

    def is_typed(self, key):
        return self.has(key)

    def typed_value(self, key, default=None, index=None):
        value = self._get(key, default)
        return value if index is None else value[index]

    def opt_typed_value(self, key, default=None):
        return self._get(key, default)

    def value(self, key, default=None, index=None, list_join_str=","):
        value = self._get(key, default)
        if index is not None and isinstance(value, (list, tuple)):
            value = value[index]
        if isinstance(value, (list, tuple)):
            return list_join_str.join([str(item) for item in value])
        return value if value is None else str(value)

    def int(self, key, default=None, index=0):
        value = self._get(key, default)
        if isinstance(value, (list, tuple)):
            value = value[index]
        return value if value is None else int(value)

    def float(self, key, default=None, index=0):
        value = self._get(key, default)
        if isinstance(value, (list, tuple)):
            value = value[index]
        return value if value is None else float(value)

    def bool(self, key, default=None, index=0):
        value = self._get(key, default)
        if isinstance(value, str):
            return value.lower() in ("1", "true", "yes", "on")
        return value if value is None else bool(value)

    def list(self, key, default=None):
        value = self._get(key, [] if default is None else default)
        return list(value) if isinstance(value, (list, tuple)) else [value]

    def int_list(self, key, default=None):
        return [int(item) for item in self.list(key, default)]

    def float_list(self, key, default=None):
        return [float(item) for item in self.list(key, default)]

    def is_true(self, key, default=False):
        return bool(self._get(key, default))

    def is_of_type(self, key, types):
        return isinstance(self._get(key), types)

    def set(self, key, value):
        self.typed_dict[key] = value

    def update(self, values):
        self.typed_dict.update(values)

    def __getitem__(self, key):
        return self._get(key)

    def __contains__(self, key):
        return self.has(key)



legacy = {}
modules = {}


def install(name, names, package=True):
    module = ModuleType(name)
    module.__dict__.update(names)
    if package:
        module.__path__ = []
    modules[name] = sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent in modules:
        setattr(modules[parent], child, module)
    return module


def module_names(_):
    return sorted(modules)


def exported(name):
    module = modules.get(name)
    return sorted(key for key in vars(module) if key[0] != "_") if module else []
)PY";

}  // namespace wende::python

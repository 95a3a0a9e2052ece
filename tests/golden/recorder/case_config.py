"""The config file of a case, how recording can fail, and what is derived from names: light, imports no TensorFlow."""
import dataclasses
import os
import types
import zlib

EXIT_OK = 0
EXIT_INTERNAL = 1
EXIT_CONFIG = 2
EXIT_CONSTRUCT = 3
EXIT_EVAL = 4
EXIT_EMPTY = 5
EXIT_TRAIN = 6
EXIT_UPDATE = 7
EXITS_WITH_FILE = (EXIT_OK, EXIT_TRAIN, EXIT_UPDATE)

# Options of a config file which are for the recorder and not for RETURNN.
ORACLE_OPTS = {
    "batch", "seed", "updater", "train_steps", "params_init", "param_scale", "store", "feature_tags", "files", "tf1_image_summary",
}


class CaseError(Exception):
    """A case that cannot be recorded: nothing is written, the command ends with `status`."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


@dataclasses.dataclass(frozen=True)
class CaseConfig:
    """One config file: its text, all names it defines, and the seed of its parameters and inputs."""

    path: str
    source: str
    options: dict
    seed: int

    @property
    def name(self):
        return case_name(self.path)

    @property
    def batch(self):
        return dict(self.options.get("batch") or {})

    @property
    def updater(self):
        return dict(self.options.get("updater") or {})

    @property
    def searches(self):
        """Whether RETURNN searches. Then there is no train flag: with one, layers take the lengths of their targets."""
        return self.options.get("search_flag") is True

    def returnn_options(self):
        """What RETURNN's own Config gets; the updater's options are part of it."""
        options = {name: value for name, value in self.options.items() if name not in ORACLE_OPTS}
        options.update(self.updater)
        options.setdefault("device", "cpu")
        return options


def case_name(path):
    base = os.path.basename(path)
    return base[:-3] if base.endswith(".py") else base


def name_seed(seed, what):
    """The seed of one input or parameter: does not depend on which others there are."""
    return (zlib.crc32(what.encode("utf8")) + 1000003 * seed) % (2**32)


def one_line(error):
    """The first three lines of an exception, at most 500 characters."""
    text = "%s: %s" % (type(error).__name__, error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (" | ".join(lines[:3]))[:500] if lines else type(error).__name__


def load_config(path):
    """Executes a config: (its source, {name: value} without modules and dunder names). CaseError if that fails."""
    with open(path, encoding="utf8") as file:
        source = file.read()
    names = {"__name__": "__oracle_config__", "__file__": path}
    try:
        exec(compile(source, path, "exec"), names)
    except Exception as error:
        raise CaseError(EXIT_CONFIG, "config exec failed: %s" % one_line(error))
    for name in ["network", "extern_data"]:
        if name not in names:
            raise CaseError(EXIT_CONFIG, "config defines no %r" % name)
    public = {name: value for name, value in names.items() if not name.startswith("__")}
    return source, {name: value for name, value in public.items() if not isinstance(value, types.ModuleType)}


def read_case(path, seed=None):
    """The CaseConfig of a file; `seed` wins over the config's own."""
    source, options = load_config(path)
    return CaseConfig(path, source, options, seed if seed is not None else int(options.get("seed", 1)))

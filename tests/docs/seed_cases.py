"""What the golden cases that must pass use: their configs are read out of the recordings and evaluated, never described by hand."""
import sys
from pathlib import Path
from unittest.mock import MagicMock

import h5py

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"
# Layers in a unit of layers or a subnetwork, by option.
INNER = ("unit", "subnetwork", "true_layer", "false_layer")


class Layer:
    """A layer's dict in a case. in_loop: within the unit of a rec layer."""

    def __init__(self, case, name, options, in_loop, depth):
        self.case, self.name, self.options, self.in_loop, self.depth = case, name, options, in_loop, depth

    @property
    def klass(self):
        return self.options["class"]

    def get(self, option):
        return self.options.get(option)


def layers_of(case, network, in_loop=False, depth=0, prefix=""):
    for name, options in network.items():
        if not isinstance(options, dict) or "class" not in options or name.startswith("#"):
            continue
        yield Layer(case, prefix + name, options, in_loop, depth)
        for key in INNER:
            inner = options.get(key)
            if isinstance(inner, dict):
                nested = {"branch": inner} if "class" in inner else inner
                yield from layers_of(case, nested, in_loop or key == "unit", depth + 1, f"{prefix}{name}/")


class Cases:
    """settings: by case, all names of its config, with those of `updater`."""

    def __init__(self):
        # Functions in configs import what is not here; nothing calls them.
        for module in ("tensorflow", "returnn", "returnn.tf", "returnn.tf.util", "returnn.tf.util.data", "returnn.tf.util.basic",
                       "returnn.tf.layers", "returnn.tf.layers.basic"):
            sys.modules.setdefault(module, MagicMock())
        self.layers, self.settings = [], {}
        for name in (GOLDEN / "passing.txt").read_text().split():
            with h5py.File(GOLDEN / "seed" / f"{name}.golden.h5") as file:
                settings = {}
                exec(file["config"][()].decode(), settings)
                recorded = set(file.get("outputs/eval", ())) | set(file.get("outputs/train", ()))
                recorded |= set(file.get("losses/eval", ())) | set(file.get("losses/train", ()))  # of beams the losses alone
                recorded |= set("\n".join(str(file.attrs.get(key, "")) for key in ("random_eval", "random_train")).split())
            self.settings[name] = {**settings, **settings.get("updater", {})}
            found = list(layers_of(name, settings["network"]))
            # A layer that RETURNN did not build shows nothing, but for those of search that must not be there.
            self.layers += [layer for layer in found if layer.name.split("/")[0] in recorded or layer.get("only_on_search")]

    def with_layer(self, holds):
        return sorted({layer.case for layer in self.layers if holds(layer)})

    def with_setting(self, holds):
        return sorted(name for name, settings in self.settings.items() if holds(settings))


def texts(value):
    """All strings in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(key)
            yield from texts(item)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from texts(item)

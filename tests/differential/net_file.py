"""A file of small nets: Python that sets

    config    text of options: extern_data, batch, seed ... (tests/golden/README.md)
    base      {name: layer}, layers that the nets may read
    nets      a list of layers (then called "x") or of {name: layer}
    variants  optional: texts of further options; every net is tried with each of them

A layer is a dict, or its source where it has a lambda. A net without a loss gets one on its layer "x", so that there are gradients.
"""
import hashlib
import re

LOSS = '    "loss_of_x": {"class": "eval", "from": "x", "eval": "tf.sin(source(0) * 1.3 + 0.2)", "loss": "as_is"},\n'


class Net:
    """One net of a file: its configs, the one with a loss first, and a name for its recording."""

    def __init__(self, text, configs):
        self.text = text
        self.configs = configs
        self.name = "n" + hashlib.sha1(configs[0].encode()).hexdigest()[:16]


def as_source(layer):
    return layer.strip() if isinstance(layer, str) else repr(layer)


def layers_of(net):
    """{name: source} of an entry of `nets`."""
    if isinstance(net, str) or "class" in net:
        text = as_source(net)
        return {"x": text[:-1].rstrip(", ") + ', "is_output_layer": True}'}
    return {name: as_source(layer) for name, layer in net.items()}


def network_source(base, layers, loss):
    lines = [f"    {name!r}: {source},\n" for name, source in layers.items()]
    read = set(re.findall(r"[\w:/]+", "".join(lines)))
    used = [name for name in reversed(list(base)) if not name in layers]
    kept = []
    for name in used:  # a base layer may read the ones before it
        if name in read or "base:" + name in read:
            kept.insert(0, f"    {name!r}: {as_source(base[name])},\n")
            read |= set(re.findall(r"[\w:/]+", kept[0]))
    return "network = {\n" + "".join(kept + lines) + (LOSS if loss else "") + "}\n"


def read_nets(path):
    names = {}
    exec(compile(open(path).read(), str(path), "exec"), names)
    nets = []
    for variant in names.get("variants", [""]):
        for net in names["nets"]:
            layers = layers_of(net)
            source = "".join(layers.values())
            has_loss = re.search(r"""['"]loss['"]""", source) or "x" not in layers
            head = names["config"].strip() + "\n" + (variant + "\n" if variant else "")
            configs = [head + network_source(names.get("base", {}), layers, loss) for loss in ([False] if has_loss else [True, False])]
            nets.append(Net((variant + "  " if variant else "") + as_source(net), configs))
    return nets

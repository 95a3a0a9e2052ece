#include "config/stub_packages.h"

namespace wende::python {

const char* const kPretrainSource = R"PY(
from copy import deepcopy
import sys
from _wende import install
import _wende

WrapEpochValue = sys.modules["returnn.pretrain"].WrapEpochValue


def sources_of(layer):
    """The layers in "from", in any way of writing it."""
    sources = layer.get("from", ["data"])
    if isinstance(sources, str):
        return [sources]
    return list(sources or [])


class Steps:
    """The networks of pretraining, before each is repeated."""

    def __init__(self, network, output_layers, input_layers):
        self.network, self.outputs, self.inputs = network, list(output_layers), list(input_layers)
        missing = [name for name in self.outputs if name not in network]
        if missing:
            raise ValueError(f"pretrain: output layer {missing[0]!r} is not in the network")

    def is_output(self, net, name):
        return name in self.outputs or net[name].get("class") == "softmax" or "target" in net[name]

    def is_trainable(self, name):
        return self.network[name].get("trainable", True)

    def simpler(self, net):
        """Without the layers right below the outputs; None where only the input would be left."""
        net = deepcopy(net)
        while True:
            before, after, removed = set(), set(), set()
            for name in self.outputs:
                for source in sources_of(net[name]):
                    before.add(source)
                    if source in self.inputs:
                        after.add(source)
                        continue
                    if source not in net:
                        raise ValueError(f"pretrain: {name!r} reads {source!r}, which from_output cannot remove")
                    after.update(sources_of(net.pop(source)))
                    removed.add(source)
            if after == before:
                return None
            for name in self.outputs:
                net[name]["from"] = sorted(after)
            if not after.intersection(self.inputs) and any(self.is_trainable(name) for name in removed):
                return net

    def from_output(self):
        steps = [self.network]
        while True:
            net = self.simpler(steps[0])
            if net is None:
                return self.with_something_to_train(steps)
            steps.insert(0, net)

    def readers(self, names):
        return [name for name in sorted(self.network) if set(names).intersection(sources_of(self.network[name]))]

    def nearest(self, net, name, seen):
        """What `name` reads, through layers that the net does not have."""
        found = []
        for source in sources_of(self.network[name]):
            if source in net or source == "data":
                found.append(source)
            elif source not in seen:
                seen.add(source)
                found += self.nearest(net, source, seen)
        return list(dict.fromkeys(found))

    def up_to_depth(self, depth):
        """The layers that the input reaches in `depth` steps, and the outputs; None for the whole network."""
        net, front = {}, ["data"]
        while True:
            added = [name for name in self.readers(front) if name not in net and not self.is_trainable(name)]
            if not added:
                break
            front += added
            net.update({name: deepcopy(self.network[name]) for name in added})
        for _ in range(depth):
            front = [name for name in self.readers(front) if name not in net]
            if not front:
                return None
            net.update({name: deepcopy(self.network[name]) for name in front})
        for name in self.network:
            if self.is_output(self.network, name):
                net.setdefault(name, deepcopy(self.network[name]))
        needed = {source for layer in net.values() for source in sources_of(layer)}
        if not needed - set(net) - {"data"}:
            return None
        for name in net:
            sources = self.nearest(net, name, {name})
            if sources != sources_of(net[name]):
                net[name]["from"] = [source for source in sources if source != "data"]
        return net

    def from_input(self):
        steps = []
        while (net := self.up_to_depth(len(steps) + 1)) is not None:
            steps.append(net)
        return self.with_something_to_train(steps + [self.network])

    def with_something_to_train(self, steps):
        """Without steps that only add layers which are not trained."""
        kept, before = [], {}
        for net in steps[:-1]:
            added = [name for name in net if name not in before and not self.is_output(net, name)]
            if any(net[name].get("trainable", True) for name in added):
                kept.append(net)
            before = net
        return kept + steps[-1:]

    def custom(self, function):
        steps = []
        while net := function(idx=len(steps), net_dict=deepcopy(self.network)):
            steps.append(net)
            if len(steps) > 100000:
                raise ValueError("pretrain: construction_algo does not come to an end: it must return None")
        return steps + [self.network]


def repetitions_of(given, count):
    if isinstance(given, dict):
        given = dict(given)
        numbers = [given.pop("default", 1)] * count
        for key, number in given.items():
            numbers[count - 1 if key == "final" else key] = number
        return numbers
    numbers = list(given) if isinstance(given, (list, tuple)) else [given or 1]
    if not 0 < len(numbers) <= count:
        raise ValueError(f"pretrain: {len(numbers)} repetitions for {count} steps")
    return numbers + numbers[-1:] * (count - len(numbers))


def resolved(value, epoch):
    if isinstance(value, WrapEpochValue):
        return value(epoch=epoch)
    if isinstance(value, dict):
        return {key: resolved(entry, epoch) for key, entry in value.items()}
    if type(value) in (list, tuple) and any(isinstance(entry, WrapEpochValue) for entry in value):
        return type(value)(resolved(entry, epoch) for entry in value)
    return value


def networks_of_epochs(network, repetitions=None, construction_algo="from_output", output_layers=("output",),
                       input_layers=("data",)):
    """The network dict of each epoch of pretraining; the last is the config's own."""
    steps = Steps(network, output_layers, input_layers)
    if callable(construction_algo):
        nets = steps.custom(construction_algo)
    elif construction_algo == "from_input":
        nets = steps.from_input()
    elif construction_algo == "from_output":
        nets = steps.from_output()
    elif construction_algo == "no_network_modifications":
        nets = [network]
    else:
        raise ValueError(f"pretrain: unknown construction_algo {construction_algo!r}; known: from_input, from_output, "
                         "no_network_modifications, or a function(idx, net_dict)")
    numbers = repetitions_of(repetitions, len(nets))
    epochs = []
    for net, number in zip(nets, numbers):
        net = dict(net)
        number = net.pop("#repetition", number)
        epochs += [resolved(net, len(epochs) + i + 1) for i in range(number)]
    return epochs


_wende.__dict__.update(networks_of_epochs=networks_of_epochs)
sys.modules["returnn.pretrain"].__dict__.update(networks_of_epochs=networks_of_epochs)
)PY";

}  // namespace wende::python

#!/usr/bin/env python3
"""What a file of nets means: the layers that a config gets, the loss, the variants. Needs no RETURNN."""
import tempfile
import unittest
from pathlib import Path

import net_file

FILE = """
config = "extern_data = {'data': {'dim': 4}}"
base = {"a": {"class": "copy", "from": "data"}, "b": {"class": "copy", "from": "a"}, "unused": {"class": "copy", "from": "data"}}
variants = ["", "behavior_version = 12"]
nets = [{"class": "copy", "from": "b"}, '{"class": "eval", "from": "a", "eval": lambda source, **_: source(0)}',
        {"x": {"class": "softmax", "from": "a", "loss": "ce"}}, {"y": {"class": "copy", "from": "data"}}]
"""


def network_of(config):
    names = {}
    exec(config, names)
    return names


class NetFile(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "nets.py"
            path.write_text(FILE)
            self.nets = net_file.read_nets(path)

    def test_every_net_in_every_variant(self):
        self.assertEqual(len(self.nets), 8)
        self.assertEqual(len({net.name for net in self.nets}), 8)
        self.assertEqual(network_of(self.nets[4].configs[0])["behavior_version"], 12)

    def test_base_layers_that_are_read(self):
        self.assertEqual(list(network_of(self.nets[0].configs[0])["network"]), ["a", "b", "x", "loss_of_x"])
        self.assertEqual(list(network_of(self.nets[1].configs[1])["network"]), ["a", "x"])

    def test_loss_where_there_is_none(self):
        with_loss, without = self.nets[0].configs
        self.assertEqual(network_of(with_loss)["network"]["loss_of_x"]["from"], "x")
        self.assertNotIn("loss_of_x", network_of(without)["network"])
        for net in self.nets[2:4]:
            self.assertEqual(len(net.configs), 1)
            self.assertNotIn("loss_of_x", network_of(net.configs[0])["network"])

    def test_source_stays_source(self):
        self.assertTrue(callable(network_of(self.nets[1].configs[0])["network"]["x"]["eval"]))


if __name__ == "__main__":
    unittest.main()

# reuse_params: reuse_layer with auto_create_missing, map to a layer's name, layer_output with and without shape, custom;
# name_scope: empty, relative and absolute; trainable through parents.
from returnn.tf.util.data import FeatureDim
_in = FeatureDim("in", 6)
_out = FeatureDim("out", 5)
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}


def _scaled(reuse_layer, name, shape, **kwargs):
    return reuse_layer.params[name] * 0.5


network = {
    "nobias": {"class": "linear", "activation": "tanh", "n_out": 6, "with_bias": False, "from": "data"},
    "auto": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data",
             "reuse_params": {"reuse_layer": "nobias", "auto_create_missing": True}},
    "by_name": {"class": "linear", "activation": "relu", "n_out": 6, "from": "auto", "reuse_params": {"map": {"W": "nobias", "b": {"reuse_layer": "auto"}}}},
    "half": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "by_name",
             "reuse_params": {"map": {"W": {"reuse_layer": "nobias", "custom": _scaled}, "b": None}}},
    "map_auto": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "half",
                 "reuse_params": {"map": {"b": {"reuse_layer": "half"}}, "auto_create_missing": True}},
    "weight": {"class": "variable", "shape": (6, 5), "add_batch_axis": False, "init": "glorot_uniform"},
    "made": {"class": "eval", "eval": "tf.tanh(source(0))", "from": "weight"},
    "from_output": {"class": "linear", "activation": None, "n_out": 5, "with_bias": False, "from": "map_auto",
                    "reuse_params": {"map": {"W": {"layer_output": "made"}}}},
    "scope_empty": {"class": "subnetwork", "name_scope": "", "from": "map_auto", "subnetwork": {
        "inner": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
        "output": {"class": "copy", "from": "inner"}}},
    "scope_rel": {"class": "subnetwork", "name_scope": "scope", "from": "map_auto", "subnetwork": {
        "inner": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
        "abs": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data", "name_scope": "/top/abs"},
        "output": {"class": "combine", "kind": "add", "from": ["inner", "abs"]}}},
    "frozen": {"class": "subnetwork", "trainable": False, "from": "map_auto", "subnetwork": {
        "x": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
        "y": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "x", "trainable": True},
        "output": {"class": "copy", "from": "y"}}},
    "sum": {"class": "combine", "kind": "add", "from": ["from_output", "scope_empty", "scope_rel", "frozen"]},
    "output": {"class": "softmax", "loss": "ce", "from": "sum", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 133

# need_last and rec_last_output: layers that stay in the loop, move before it and after it, of sequences of their own lengths; darc1 of a subnetwork.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
_unit = {
    "before": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data:source", "need_last": True},
    "inside": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["before", "prev:inside"], "need_last": True},
    "count": {"class": "eval", "eval": "source(0) + 1", "from": "prev:count", "out_type": {"shape": (), "dtype": "int32"}, "initial_output": 0, "need_last": True},
    "cell": {"class": "rnn_cell", "unit": "lstmblock", "n_out": 3, "from": "before", "need_last": True},
    "after": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["inside", "cell"], "need_last": True},
    "best": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "after", "initial_output": 0, "need_last": True},
    "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "inside"},
}
network = {"loop": {"class": "rec", "from": "data", "unit": _unit}}
for _name in _unit:
    if _name != "output":
        network["last_" + _name] = {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": _name, "is_output_layer": True}
network.update({
    "sub": {"class": "subnetwork", "from": "loop", "darc1": 0.1, "subnetwork": {
        "h": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"}, "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "h"}}},
    "all": {"class": "combine", "kind": "add", "from": ["sub", "last_before"]},
    "output": {"class": "softmax", "from": ["all", "last_inside", "last_cell", "last_after"], "loss": "ce", "target": "classes"},
})
batch = {"seq_lens": {"data": [6, 4, 1], "classes": [6, 4, 1]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.05}
seed = 277

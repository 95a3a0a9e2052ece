extern_data = {"data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}}
network = {
    "p": {"class": "pool", "from": "data", "mode": "avg", "padding": "same", "pool_size": (2,)},
    "l": {"class": "linear", "from": "p", "n_out": 5, "activation": "tanh"},
    "up": {"class": "transposed_conv", "from": "l", "filter_size": (2,), "strides": (2,), "n_out": 6, "activation": "relu", "with_bias": True},
    "cut": {"class": "reinterpret_data", "from": "cut0", "size_base": "data"},
    "cut0": {"class": "slice_nd", "from": "up", "start": 0, "size": None} ,
    "red": {"class": "reduce", "mode": "mean", "axis": "T", "from": "up"},
    "output": {"class": "softmax", "from": "red", "loss": "ce", "target": "cls"},
}
extern_data["cls"] = {"dim": 4, "sparse": True, "shape": ()}
del network["cut"], network["cut0"], extern_data["classes"]
batch = {"seq_lens": {"data": [6, 4, 2]}}
seed = 119

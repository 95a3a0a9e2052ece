extern_data = {"data": {"dim": 12}, "classes": {"dim": 4, "sparse": True}}
network = {
    "s": {"class": "split_dims", "axis": "F", "dims": (-1, 1), "from": "data"},
    "c1": {"class": "conv", "from": "s", "padding": "same", "filter_size": (3, 3), "n_out": 4, "activation": None, "with_bias": True},
    "p1": {"class": "pool", "from": "c1", "mode": "max", "padding": "same", "pool_size": (1, 2), "strides": (1, 2)},
    "c2": {"class": "conv", "from": "p1", "padding": "same", "filter_size": (3, 3), "n_out": 3, "activation": "relu", "with_bias": True},
    "m": {"class": "merge_dims", "from": "c2", "axes": "static"},
    "l0": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "direction": 1, "from": "m"},
    "l1": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "direction": -1, "from": "m"},
    "output": {"class": "softmax", "from": ["l0", "l1"], "loss": "ce"},
}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
updater = {"optimizer": {"class": "adam"}}
seed = 105

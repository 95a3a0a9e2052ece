extern_data = {"data": {"dim": 8}, "classes": {"dim": 4, "sparse": True}}
network = {
    "sp": {"class": "split_dims", "axis": "F", "dims": (-1, 1), "from": "data"},
    "c1": {"class": "conv", "from": "sp", "filter_size": (3, 3), "padding": "same", "n_out": 3, "activation": None, "with_bias": False},
    "bn1": {"class": "batch_norm", "from": "c1", "masked_time": True},
    "r1": {"class": "activation", "activation": "relu", "from": "bn1"},
    "c2": {"class": "conv", "from": "r1", "filter_size": (3, 3), "strides": (1, 2), "padding": "same", "n_out": 4, "activation": None, "with_bias": False, "batch_norm": {"masked_time": False}},
    "m": {"class": "merge_dims", "axes": "static", "from": "c2"},
    "l": {"class": "linear", "activation": "relu", "n_out": 6, "from": "m", "batch_norm": True},
    "output": {"class": "softmax", "from": "l", "loss": "ce"},
}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
updater = {"optimizer": {"class": "sgd"}, "learning_rate": 0.05}
seed = 113

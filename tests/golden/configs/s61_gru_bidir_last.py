extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True, "shape": ()}}
network = {
    "f": {"class": "rec", "unit": "gru", "n_out": 5, "direction": 1, "from": "data"},
    "b": {"class": "rec", "unit": "gru", "n_out": 5, "direction": -1, "from": "data"},
    "red": {"class": "reduce", "mode": "max", "axis": "T", "from": ["f", "b"]},
    "last": {"class": "get_last_hidden_state", "from": "f", "n_out": 5},
    "output": {"class": "softmax", "from": ["red", "last"], "loss": "ce"},
}
behavior_version = 12
batch = {"seq_lens": {"data": [6, 4, 2]}}
updater = {"optimizer": {"class": "nadam"}, "learning_rate": 0.005}
seed = 102

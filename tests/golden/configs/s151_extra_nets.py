# Overlays of the network ("extra.NAME:layer") with the same parameters: a dict of their own, the layer's dict, and layers of the overlay that build on each other.
extra = {"class": "linear", "activation": "sigmoid", "n_out": 6, "from": "data"}
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {
    "in": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "extra.2:in": extra,
    "deep": {"class": "linear", "activation": "relu", "n_out": 7, "from": "in"},
    "sub": {"class": "subnetwork", "from": "deep", "subnetwork": {"output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"}}},
    "same": {"class": "copy", "from": "extra.3:deep"},
    "other": {"class": "copy", "from": "extra.2:deep"},
    "other_sub": {"class": "copy", "from": ["extra.2:sub", "extra:sub"]},
    "output": {"class": "softmax", "from": ["deep", "same", "other", "sub", "other_sub"], "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 151

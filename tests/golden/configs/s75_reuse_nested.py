extern_data = {"data": {"dim": 5}, "classes": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "b": {"class": "linear", "activation": "relu", "n_out": 5, "from": "a", "reuse_params": "a"},
    "emb": {"class": "linear", "activation": None, "with_bias": False, "n_out": 5, "from": "data:classes"},
    "sc": {"class": "linear", "activation": None, "n_out": 5, "from": ["b"], "trainable": False},
    "prod": {"class": "copy", "from": "emb"},
    "tied": {"class": "linear", "activation": None, "with_bias": False, "n_out": 5, "from": "prod",
             "reuse_params": {"map": {"W": {"reuse_layer": "emb", "custom": (lambda reuse_layer, **kwargs: __import__("tensorflow").transpose(reuse_layer.params["W"]))}}}},
    "output": {"class": "softmax", "from": "sc", "loss": "ce", "target": "classes"}, "extra": {"class": "copy", "from": "tied", "is_output_layer": True},
}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
seed = 117

extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "l": {"class": "linear", "activation": None, "n_out": 4, "from": "data"},
    "c": {"class": "compare", "from": "l", "kind": "greater", "value": 0.1},
    "s": {"class": "switch", "condition": "c", "true_from": "l", "false_from": 0.25},
    "len": {"class": "length", "from": "data"},
    "lenf": {"class": "eval", "from": "len", "eval": "tf.cast(source(0), tf.float32) * 0.1", "out_type": {"dtype": "float32"}},
    "x": {"class": "combine", "kind": "mul", "from": ["s", "lenf"]},
    "k": {"class": "constant", "value": 0.5},
    "y": {"class": "combine", "kind": "sub", "from": ["x", "k"]},
    "z": {"class": "combine", "kind": "eval", "eval": "source(0) * source(1)", "from": ["y", "l"]},
    "output": {"class": "softmax", "from": "z", "loss": "ce"},
}
behavior_version = 16
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
seed = 115

extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "init": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "i5": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "init"},
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "a": {"class": "linear", "activation": "tanh", "n_out": 5, "from": ["data:source", "prev:a"], "initial_output": "base:i5"},
        "b": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["a", "prev:b"], "initial_output": "var"},
        "c": {"class": "linear", "activation": "sigmoid", "n_out": 4, "from": ["b", "prev:c"], "initial_output": "ones"},
        "output": {"class": "softmax", "from": ["a", "c"], "loss": "ce", "target": "classes"},
    }},
}
batch = {"seq_lens": {"data": [5, 4, 2], "classes": [5, 4, 2]}}
updater = {"optimizer": {"class": "sgd"}}
seed = 124

"""A few nets of each kind, in half a minute: the test `differential`."""
config = """
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
batch = {"seq_lens": {"data": [5, 3, 1], "classes": [5, 3, 1]}}
"""
base = {
    "lin": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "lin"},
}
variants = ["", "behavior_version = 21"]
nets = [
    {"class": "rec", "unit": "lstm", "n_out": 3, "from": "lin", "L2": 0.1},
    {"class": "combine", "kind": "sub", "from": ["lin", "mean"]},
    {"class": "softmax", "from": "lin", "loss": "ce", "target": "classes", "loss_opts": {"label_smoothing": 0.1}},
    {"x": {"class": "rec", "from": "lin", "unit": {"output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:output"]}}}},
]

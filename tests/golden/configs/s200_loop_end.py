feature_tags = ["rec", "end", "max_seq_len"]
extern_data = {"data": {"dim": 5}, "classes": {"dim": 3, "shape": (3,), "time_dim_axis": None}}
batch = {"seq_lens": {"data": [6, 4, 3]}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "last": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
    "output": {"class": "rec", "from": [], "max_seq_len": 9, "unit": {
        "s": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["prev:s", "base:last"], "initial_output": "var"},
        "sum": {"class": "reduce", "mode": "sum", "axis": "F", "from": "s"},
        "end": {"class": "compare", "kind": "greater", "value": 0.85, "from": "sum"},
        "output": {"class": "linear", "activation": "sigmoid", "n_out": 3, "from": "s"}}},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "output"},
    "fit": {"class": "linear", "activation": None, "n_out": 3, "from": "mean", "loss": "mse", "target": "classes"},
}

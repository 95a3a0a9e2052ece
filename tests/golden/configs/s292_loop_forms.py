# A loop without input as long as its size_target; an empty reuse_params, and one of a layer that is read as well.
feature_tags = ["rec", "size_target", "reuse_params"]
seed = 7
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
network = {
    "again": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "first", "reuse_params": "first"},
    "first": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data", "reuse_params": {}},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "again"},
    "loop": {"class": "rec", "from": [], "size_target": "classes", "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["base:mean", "prev:output"]},
        "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "s"}}},
    "output": {"class": "softmax", "from": "loop", "target": "classes", "loss": "ce"}}

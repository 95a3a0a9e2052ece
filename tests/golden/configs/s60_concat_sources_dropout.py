extern_data = {"data": {"dim": 6}, "aux": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "relu", "n_out": 4, "from": ["data"]},
    "b": {"class": "linear", "activation": "sigmoid", "n_out": 3, "from": "data", "L2": 0.02},
    "c": {"class": "rec", "unit": "lstm", "n_out": 5, "from": ["a", "b"], "dropout": 0.0},
    "d": {"class": "combine", "kind": "add", "from": ["c", "e"]},
    "e": {"class": "linear", "activation": None, "n_out": 5, "from": ["a", "c"], "with_bias": False},
    "output": {"class": "softmax", "loss": "ce", "from": ["d", "b"], "loss_opts": {"label_smoothing": 0.1}},
}
batch = {"seq_lens": {"data": [6, 4, 2], "aux": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"optimizer": {"class": "momentum", "momentum": 0.9}, "learning_rate": 0.01, "gradient_clip_global_norm": 1.0}
seed = 101

extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "bn": {"class": "batch_norm", "from": "data", "darc1": 0.1},
    "bn2": {"class": "batch_norm", "from": "a", "darc1": 0.1},
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "bn"},
    "output": {"class": "softmax", "from": "bn2", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [4, 1, 3], "classes": [4, 1, 3]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.1}
seed = 262

# optimizer_epsilon as the default of a class.
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "output": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"optimizer": {"class": "adam"}, "optimizer_epsilon": 1e-03, "learning_rate": 0.01}
seed = 62

# The config options nadam and optimizer_epsilon.
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "output": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"adam": True, "nadam": True, "optimizer_epsilon": 1e-05, "learning_rate": 0.01}
seed = 61

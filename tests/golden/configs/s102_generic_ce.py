feature_tags = ["generic_ce"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "exp": {"class": "linear", "activation": "exp", "n_out": 5, "loss": "generic_ce", "from": "a", "target": "classes"},
    "sigmoid": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "generic_ce", "from": "a", "target": "classes", "loss_scale": 0.5},
    "output": {"class": "copy", "from": "exp"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 202

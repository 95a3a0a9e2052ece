feature_tags = ["bin_ce", "sse_sigmoid", "pos_weight"]
extern_data = {"data": {"dim": 6}, "y": {"dim": 3}, "flag": {"dim": 2, "sparse": True, "shape": (None, 3)}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "weighted": {"class": "linear", "activation": None, "loss": "bin_ce", "from": "a", "target": "y", "loss_opts": {"pos_weight": 2.5}},
    "alias": {"class": "linear", "activation": None, "loss": "sse_sigmoid", "from": "a", "target": "y"},
    "sparse": {"class": "linear", "activation": None, "n_out": 3, "loss": "bin_ce", "from": "a", "target": "flag"},
    "norm": {"class": "linear", "activation": None, "n_out": 3, "loss": "bin_ce", "from": "a", "target": "y", "loss_opts": {"use_normalized_loss": True}, "loss_scale": 0.7},
    "output": {"class": "copy", "from": "alias"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "y": [6, 5, 2], "flag": [6, 5, 2]}, "values": {"y": {"dist": "uniform"}}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 201

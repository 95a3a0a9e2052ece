feature_tags = ["triplet_loss", "multi_view_training"]
extern_data = {"data": {"dim": 6}, "labels": {"dim": 4, "sparse": True, "shape": (None, 3)}, "seq_labels": {"dim": 4, "sparse": True, "shape": (3,)}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "red": {"class": "reduce", "mode": "mean", "axis": "T", "from": "a"},
    "seq": {"class": "linear", "activation": "tanh", "n_out": 12, "from": "red", "target": "seq_labels", "loss": "triplet_loss", "loss_opts": {"margin": 0.9}},
    "two": {"class": "linear", "activation": "tanh", "n_out": 12, "from": "red", "target": "seq_labels", "loss": "triplet_loss",
            "loss_opts": {"margin": 1.2, "multi_view_training": True}, "loss_scale": 0.5},
    "normed": {"class": "linear", "activation": None, "n_out": 6, "from": "red", "target": "seq_labels", "loss": "triplet_loss", "loss_opts": {"margin": 0.5, "use_normalized_loss": True}},
    "output": {"class": "copy", "from": "seq"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "labels": [6, 5, 2]}, "values": {"seq_labels": [[1, 1, 2], [2, 2, 3], [3, 3, 1]]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 211

# mse, l1, mean_l1: sparse and dense targets, softmax outputs, outputs without time, use_normalized_loss, use_flatten_frames.
feature_tags = ["mse", "l1", "mean_l1", "use_flatten_frames", "use_normalized_loss"]
extern_data = {"data": {"dim": 6}, "y": {"dim": 4}, "classes": {"dim": 4, "sparse": True}, "z": {"dim": 4, "shape": (4,)}, "c": {"dim": 4, "sparse": True, "shape": ()}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "mse_sparse": {"class": "softmax", "loss": "mse", "from": "a", "target": "classes"},
    "mse_act": {"class": "linear", "activation": "relu", "loss": "mse", "from": "a", "target": "y", "loss_opts": {"use_normalized_loss": True, "scale": 3.0}},
    "mse_frames": {"class": "linear", "activation": "tanh", "loss": "mse", "from": "a", "target": "y", "loss_opts": {"use_flatten_frames": False}},
    "ce_frames": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes", "loss_opts": {"use_flatten_frames": False}},
    "l1_soft": {"class": "softmax", "loss": "l1", "from": "a", "target": "y", "loss_scale": 0.2},
    "mean_l1_soft": {"class": "softmax", "loss": "mean_l1", "from": "a", "target": "y"},
    "red": {"class": "reduce", "mode": "mean", "axis": "T", "from": "a"},
    "l1_z": {"class": "linear", "activation": None, "loss": "l1", "from": "red", "target": "z"},
    "mean_l1_z": {"class": "linear", "activation": None, "loss": "mean_l1", "from": "red", "target": "z", "loss_opts": {"use_normalized_loss": True}},
    "mse_c": {"class": "softmax", "loss": "mse", "from": "red", "target": "c"},
    "ce_c": {"class": "softmax", "loss": "ce", "from": "red", "target": "c"},
    "output": {"class": "copy", "from": "mse_sparse"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "y": [6, 5, 2], "classes": [6, 5, 2]}}
updater = {"optimizer": {"class": "momentum", "momentum": 0.5}, "learning_rate": 0.01}
seed = 207

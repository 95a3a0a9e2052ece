feature_tags = ["edit_distance", "label_map"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}, "words": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "prob": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
    "labels": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "prob", "target": "classes", "loss": "edit_distance"},
    "other": {"class": "copy", "from": "data:words", "target": "classes", "loss": "edit_distance"},
    "mapped": {"class": "copy", "from": "data:words", "target": "classes", "loss": "edit_distance", "loss_opts": {"label_map": {0: 0, 1: 1, 2: 1, 3: 0}}},
    "output": {"class": "copy", "from": "prob"},
}
batch = {"seq_lens": {"data": [7, 5, 3], "classes": [7, 5, 3], "words": [4, 3, 2]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 204

feature_tags = ["bleu"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 2, "sparse": True}, "guess": {"dim": 2, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "prob": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
    "labels": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "prob", "target": "classes", "loss": "bleu"},
    "given": {"class": "copy", "from": "data:guess", "target": "classes", "loss": "bleu"},
    "output": {"class": "copy", "from": "prob"},
}
batch = {"seq_lens": {"data": [12, 9, 5], "classes": [12, 9, 5], "guess": [10, 9, 7]},
         "values": {"classes": [[0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0], [1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
                    "guess": [[0, 1, 0, 0, 1, 0, 0, 1, 0, 0], [1, 1, 0, 1, 0, 0, 1, 1, 1, 0], [1, 0, 1, 1, 0, 0, 1, 0, 0, 0]]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 205

# Neither trains, though the gradient of generic_ce does not depend on what the loss is multiplied by.
feature_tags = ["generic_ce", "only_on_eval"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "out2": {"class": "softmax", "from": "a", "loss": "generic_ce", "target": "classes", "only_on_eval": True},
    "out3": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes", "only_on_eval": True},
    "output": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 1, 3], "classes": [6, 1, 3]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.1}
seed = 253

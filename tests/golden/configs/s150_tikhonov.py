# The gradient of a gradient: tikhonov_regularization through several activations. SGD: the order of the two updates of a step, which RETURNN leaves open, does not matter.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {
    "input": {"class": "tikhonov_regularization", "from": "data", "meta_loss_scale": 0.3},
    "a": {"class": "linear", "activation": "tanh", "n_out": 7, "from": "input"},
    "b": {"class": "linear", "activation": "relu", "n_out": 7, "from": "a"},
    "c": {"class": "linear", "activation": "sigmoid", "n_out": 7, "from": "b"},
    "square": {"class": "activation", "activation": "square", "from": "c"},
    "output": {"class": "softmax", "from": ["square", "a"], "loss": "ce", "target": "classes", "loss_opts": {"use_fused": False}},
}
batch = {"seq_lens": {"data": [6, 6, 6], "classes": [6, 6, 6]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.05}
seed = 150

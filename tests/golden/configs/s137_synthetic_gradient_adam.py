# Adam's two updates of a step, by the gradients and by those of the meta loss, on parameters that have only one of them: RETURNN leaves their order open.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 7, "from": "data"},
    "cut": {"class": "scaled_grad", "scale": 0, "from": "a"},
    "sg_grad": {"class": "linear", "activation": None, "n_out": 7, "from": "cut"},
    "sg": {"class": "synthetic_gradient", "gradient": "sg_grad", "from": "a", "meta_loss_scale": 2.0},
    "b": {"class": "linear", "activation": "tanh", "n_out": 7, "from": "sg"},
    "output": {"class": "softmax", "loss": "ce", "from": "b", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 6, 6], "classes": [6, 6, 6]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 137

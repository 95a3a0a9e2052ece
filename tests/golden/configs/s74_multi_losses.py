extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}, "reg": {"dim": 2}}
network = {
    "h": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "out1": {"class": "softmax", "from": "h", "loss": "ce", "loss_opts": {"focal_loss_factor": 2.0}, "target": "classes"},
    "out2": {"class": "linear", "activation": None, "from": "h", "loss": "mse", "target": "reg"},
    "out3": {"class": "linear", "activation": None, "from": "h", "loss": "mean_l1", "target": "reg", "loss_scale": 0.5},
    "pen": {"class": "eval", "eval": "tf.square(source(0))", "from": "h", "loss": "as_is", "loss_scale": 0.1},
    "output": {"class": "copy", "from": "out1"},
}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3], "reg": [6, 4, 3]}}
updater = {"optimizer": {"class": "rmsprop"}, "gradient_clip": 0.05}
seed = 116

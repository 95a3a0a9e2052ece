# L2, darc1, spatial_smoothing on a rec cell, a unit of layers, a subnetwork, a convolution and a batch norm; loss_scale of 0 and negative.
extern_data = {"data": {"dim": 9}, "classes": {"dim": 5, "sparse": True}}
network = {
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 9, "from": "data", "L2": 0.02, "spatial_smoothing": 0.03},
    "conv": {"class": "conv", "from": "lstm", "n_out": 9, "filter_size": (3,), "padding": "same", "with_bias": True, "activation": "tanh", "L2": 0.01, "darc1": 0.02},
    "bn": {"class": "batch_norm", "from": "conv"},
    "sub": {"class": "subnetwork", "from": "bn", "L2": 0.04, "subnetwork": {
        "x": {"class": "linear", "activation": "relu", "n_out": 9, "from": "data", "L2": 0.1},
        "output": {"class": "linear", "activation": "tanh", "n_out": 16, "from": "x", "darc1": 0.3, "spatial_smoothing": 0.01}}},
    "loop": {"class": "rec", "from": "sub", "L2": 0.03, "unit": {
        "y": {"class": "linear", "activation": "tanh", "n_out": 9, "from": ["data:source", "prev:y"], "L2": 0.2},
        "output": {"class": "copy", "from": "y"}}},
    "neg": {"class": "softmax", "from": "loop", "loss": "ce", "target": "classes", "loss_scale": -0.1},
    "none": {"class": "softmax", "from": "loop", "loss": "ce", "target": "classes", "loss_opts": {"scale": 0.0}},
    "norm": {"class": "softmax", "from": "loop", "loss": "ce", "target": "classes", "loss_opts": {"use_normalized_loss": True, "scale": 2.0}},
    "output": {"class": "softmax", "from": "loop", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5, 3], "classes": [6, 5, 3]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 145

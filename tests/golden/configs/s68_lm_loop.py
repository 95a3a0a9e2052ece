extern_data = {"data": {"dim": 6, "sparse": True}, "delayed": {"dim": 6, "sparse": True}}
network = {
    "output": {"class": "rec", "from": ["data:delayed"], "target": "data", "unit": {
        "target_embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 5, "from": "data:source", "forward_weights_init": "random_normal_initializer(mean=0.0, stddev=0.1)"},
        "l0": {"class": "rec", "unit": "lstm", "n_out": 6, "from": "target_embed", "L2": 0.001},
        "l1": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 6, "from": "l0"},
        "output": {"class": "softmax", "from": "l1", "loss": "ce", "target": "data", "dropout": 0.0},
    }},
}
batch = {"seq_lens": {"data": [6, 5, 2], "delayed": [6, 5, 2]}}
seed = 110

feature_tags = ["rec", "masked_computation", "unmask"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "sum": {"class": "reduce", "mode": "sum", "axis": "F", "from": ["data:source"]},
        "mask": {"class": "compare", "kind": "greater", "value": 0.0, "from": "sum"},
        "in": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:out_rec"]},
        "masked_lin": {"class": "masked_computation", "mask": "mask", "from": "in",
                       "unit": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data", "prev:masked_lin"]}},
        "masked_rec": {"class": "masked_computation", "mask": "mask", "from": "in",
                       "unit": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "data"}},
        "masked_sub": {"class": "masked_computation", "mask": "mask", "from": "in", "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
            "cell": {"class": "rnn_cell", "unit": "standardlstm", "n_out": 2, "from": "data"}, "add": {"class": "copy", "from": "cell"},
            "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["add", "base:in"]}}}},
        "unmasked": {"class": "unmask", "mask": "mask", "from": "masked_rec"},
        "out_rec": {"class": "copy", "from": ["masked_lin", "masked_sub", "unmasked"]},
        "output": {"class": "softmax", "from": ["out_rec"], "loss": "ce", "target": "classes"},
    }}}
batch = {"seq_lens": {"data": [6, 2, 4], "classes": [6, 2, 4]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 486

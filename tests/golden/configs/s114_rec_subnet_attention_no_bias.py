# s23 without the bias of enc_ctx, whose true gradient is 0 (softmax_over_spatial does not see it) and which Adam moves by rounding noise.
feature_tags = ["rec_subnetwork", "base:", "prev:", "rnn_cell", "dot", "softmax_over_spatial", "initial_output", "unit_dict"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {
    "encoder": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "enc_ctx": {"class": "linear", "activation": None, "with_bias": False, "n_out": 7, "from": "encoder"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 10, "unit": {
        "emb": {"class": "linear", "activation": None, "with_bias": False, "n_out": 6, "from": "prev:out_cls", "initial_output": 0},
        "out_cls": {"class": "copy", "from": "data:classes", "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 7, "from": ["emb", "prev:att"]},
        "energy": {"class": "dot", "from": ["base:enc_ctx", "s"], "red1": "F", "red2": "F", "var1": "T", "var2": None, "add_var2_if_empty": False},
        "w": {"class": "softmax_over_spatial", "from": "energy"},
        "att": {"class": "generic_attention", "weights": "w", "base": "base:encoder"},
        "output": {"class": "softmax", "from": ["s", "att", "emb"], "target": "classes", "loss": "ce"},
    }},
}
behavior_version = 12
batch = {"seq_lens": {"data": [9, 7, 5], "classes": [3, 4, 2]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 23

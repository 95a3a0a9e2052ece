extern_data = {"data": {"dim": 8}, "classes": {"dim": 5, "sparse": True}}
network = {
    "pos": {"class": "positional_encoding", "add_to_input": True, "from": "data"},
    "ln": {"class": "layer_norm", "from": "pos"},
    "att": {"class": "self_attention", "num_heads": 2, "total_key_dim": 8, "n_out": 8, "from": "ln", "attention_left_only": False, "attention_dropout": 0.0,
            "forward_weights_init": "variance_scaling_initializer(mode='fan_in', distribution='uniform', scale=1.0)"},
    "attl": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "att"},
    "res": {"class": "combine", "kind": "add", "from": ["pos", "attl"]},
    "ffln": {"class": "layer_norm", "from": "res"},
    "ff1": {"class": "linear", "activation": "relu", "with_bias": True, "n_out": 16, "from": "ffln"},
    "ff2": {"class": "linear", "activation": None, "with_bias": True, "n_out": 8, "from": "ff1"},
    "out": {"class": "combine", "kind": "add", "from": ["res", "ff2"]},
    "output": {"class": "softmax", "from": "out", "loss": "ce"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"optimizer": {"class": "adam"}}
seed = 108

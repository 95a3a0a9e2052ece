extern_data = {"data": {"dim": 8}, "classes": {"dim": 4, "sparse": True}}
network = {
    "rel": {"class": "relative_positional_encoding", "from": "data", "n_out": 4, "clipping": 3},
    "ln": {"class": "layer_norm", "from": "data"},
    "att": {"class": "self_attention", "num_heads": 2, "total_key_dim": 8, "n_out": 8, "from": "ln", "key_shift": "rel"},
    "res": {"class": "combine", "kind": "add", "from": ["att", "data"]},
    "ff": {"class": "linear", "activation": None, "n_out": 16, "from": "res"},
    "glu": {"class": "gating", "from": "ff", "activation": "identity"},
    "dw": {"class": "conv", "from": "glu", "filter_size": (3,), "padding": "same", "n_out": 8, "groups": 8, "with_bias": True, "activation": None},
    "bn": {"class": "batch_norm", "from": "dw", "momentum": 0.1, "epsilon": 1e-3, "update_sample_only_in_training": True, "delay_sample_update": True},
    "sw": {"class": "activation", "activation": "swish", "from": "bn"},
    "out": {"class": "combine", "kind": "add", "from": ["sw", "res"]},
    "output": {"class": "softmax", "from": "out", "loss": "ce"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"optimizer": {"class": "sgd"}}
seed = 118

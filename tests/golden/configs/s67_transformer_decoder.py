extern_data = {"data": {"dim": 6, "sparse": True}, "classes": {"dim": 5, "sparse": True}}
network = {
    "emb": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "data"},
    "encoder": {"class": "layer_norm", "from": "emb"},
    "enc_k0": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "encoder"},
    "enc_v0": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "encoder"},
    "enc_k": {"class": "split_dims", "axis": "F", "dims": (2, 4), "from": "enc_k0"},
    "enc_v": {"class": "split_dims", "axis": "F", "dims": (2, 4), "from": "enc_v0"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:encoder') * 3", "unit": {
        "output": {"class": "choice", "target": "classes", "beam_size": 4, "from": ["output_prob"], "initial_output": 0},
        "end": {"class": "compare", "from": ["output"], "value": 0},
        "embraw": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": ["prev:output"]},
        "embsc": {"class": "eval", "eval": "source(0) * 22.627417", "from": "embraw"},
        "embpos": {"class": "positional_encoding", "add_to_input": True, "from": ["embsc"]},
        "ln1": {"class": "layer_norm", "from": "embpos"},
        "sa": {"class": "self_attention", "num_heads": 2, "total_key_dim": 8, "n_out": 8, "from": "ln1", "attention_left_only": True},
        "sal": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "sa"},
        "x1": {"class": "combine", "kind": "add", "from": ["embpos", "sal"]},
        "ln2": {"class": "layer_norm", "from": "x1"},
        "q0": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "ln2"},
        "q": {"class": "split_dims", "axis": "F", "dims": (2, 4), "from": "q0"},
        "energy": {"class": "dot", "red1": -1, "red2": -1, "var1": "T", "var2": "T?", "from": ["base:enc_k", "q"]},
        "weights": {"class": "softmax_over_spatial", "from": "energy", "energy_factor": 0.5},
        "att0": {"class": "generic_attention", "weights": "weights", "base": "base:enc_v"},
        "att": {"class": "merge_dims", "axes": "static", "from": "att0"},
        "attl": {"class": "linear", "activation": None, "with_bias": False, "n_out": 8, "from": "att"},
        "x2": {"class": "combine", "kind": "add", "from": ["x1", "attl"]},
        "output_prob": {"class": "softmax", "from": "x2", "target": "classes", "loss": "ce"},
    }},
    "decision": {"class": "decide", "from": ["output"]},
}
batch = {"seq_lens": {"data": [7, 5, 3], "classes": [4, 3, 2]}}
updater = {"optimizer": {"class": "adam"}}
seed = 109

# gradient_clip_global_norm with embeddings: the squares of a table's gradient before the frames of a label are added up, unless a constraint,
# a product or a transposition makes that gradient dense.
feature_tags = ["gradient_clip_global_norm", "linear_sparse", "rec_sparse", "reuse_params", "rec_subnet", "relative_positional_encoding"]
extern_data = {"data": {"dim": 4, "sparse": True}, "classes": {"dim": 5, "sparse": True}}
network = {
    "plain": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data"},
    "label": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "again": {"class": "linear", "activation": "tanh", "with_bias": False, "n_out": 4, "from": "shifted", "reuse_params": "plain"},
    "shifted": {"class": "eval", "from": "data", "eval": "tf.maximum(source(0) - 1, 0)"},
    "constrained": {"class": "linear", "activation": None, "n_out": 4, "from": "data", "L2": 0.01},
    "transposed": {"class": "linear", "activation": None, "n_out": 4, "from": "data", "use_transposed_weights": True},
    "table": {"class": "variable", "shape": (4, 4), "init": "glorot_uniform"},
    "gathered": {"class": "gather", "from": "table", "position": "data", "axis": "static:0"},
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
    "positions": {"class": "relative_positional_encoding", "from": "lstm", "n_out": 3, "clipping": 2, "forward_weights_init": "glorot_uniform"},
    "attention": {"class": "self_attention", "from": "lstm", "num_heads": 1, "total_key_dim": 3, "n_out": 4, "key_shift": "positions"},
    "loop": {"class": "rec", "from": "data", "unit": {
        "best": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "h", "initial_output": 1},
        "of_best": {"class": "linear", "activation": None, "n_out": 4, "from": "prev:best"},
        "h": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["of_best", "frame", "prev:h"]},
        "frame": {"class": "linear", "activation": None, "n_out": 3, "with_bias": False, "from": "data:source"},
        "output": {"class": "combine", "kind": "add", "from": ["h", "of_best"]},
    }},
    "output": {"class": "softmax", "loss": "ce", "target": "classes",
               "from": ["plain", "label", "again", "constrained", "transposed", "gathered", "lstm", "attention", "loop"]},
}
batch = {"seq_lens": {"data": [6, 2, 4], "classes": [6, 2, 4]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.5, "gradient_clip_global_norm": 0.5}
seed = 249

feature_tags = ["rec", "self_attention", "positional_encoding", "relative_positional_encoding"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "output": {"class": "rec", "from": "data", "target": "classes", "optimize_move_layers_out": False, "unit": {
        "x": {"class": "linear", "activation": "tanh", "n_out": 6, "from": ["data:source", "prev:att"]},
        "x_pos": {"class": "positional_encoding", "add_to_input": True, "from": "x"},
        "pos": {"class": "positional_encoding", "n_out": 4, "from": "x"},
        "rel": {"class": "relative_positional_encoding", "n_out": 2, "clipping": 2, "from": "x"},
        "att": {"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 6, "attention_left_only": True,
                "key_shift": "rel", "from": "x_pos"},
        "att2": {"class": "self_attention", "num_heads": 1, "total_key_dim": 3, "n_out": 2, "attention_left_only": True,
                 "from": "prev:att"},
        "output": {"class": "softmax", "from": ["att", "att2", "pos"], "loss": "ce", "target": "classes"},
    }}}
batch = {"seq_lens": {"data": [5, 2, 3], "classes": [5, 2, 3]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 485

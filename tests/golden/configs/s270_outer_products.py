# Features of different sizes side by side, squeeze with all its options, weights that are left out.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 3, "sparse": True}, "dense": {"dim": 4}}
batch = {"seq_lens": {"data": [5, 3, 1], "classes": [5, 3, 1], "dense": [5, 3, 1]}, "values": {"dense": {"dist": "softmax"}}}
network = {
    "six": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "three": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
    "of_sequence": {"class": "reduce", "mode": "mean", "axis": "T", "from": "three"},
    "sum": {"class": "combine", "kind": "add", "from": ["six", "of_sequence"], "is_output_layer": True},
    "product": {"class": "combine", "kind": "mul", "from": ["of_sequence", "six"], "is_output_layer": True},
    "frames": {"class": "eval", "eval": "tf.sin(source(0)) - source(1)", "from": ["six", "three"], "is_output_layer": True},
    "less": {"class": "compare", "kind": "less", "from": ["six", "of_sequence"], "is_output_layer": True},
    "one": {"class": "reduce", "mode": "mean", "axis": "F", "keep_dims": True, "from": "six"},
    "no_feature": {"class": "squeeze", "axis": "auto", "from": "one", "is_output_layer": True},
    "batch_second": {"class": "squeeze", "axis": "F", "enforce_batch_dim_axis": 1, "from": "one", "is_output_layer": True},
    "loss": {"class": "reduce", "mode": "sum", "axis": "static", "from": "product"},
    "output": {"class": "eval", "eval": "tf.sin(source(0) + source(1))", "from": ["loss", "no_feature"], "loss": "as_is"},
    "of_frames": {"class": "reduce", "mode": "mean", "axis": "static", "from": "frames", "loss": "as_is"},
    "weighted": {"class": "linear", "activation": "sigmoid", "n_out": 4, "from": "six", "loss": "bin_ce", "target": "dense", "loss_opts": {"pos_weight": None}},
}

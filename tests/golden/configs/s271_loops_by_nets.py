# Found by the differential test: windows over the steps of a loop, names of a cell's parameters, norms and names of losses in loops.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}}
batch = {"seq_lens": {"data": [5, 3, 1], "classes": [5, 3, 1]}}
loop = {
    "in": {"class": "combine", "kind": "add", "from": ["data:source", "prev:output"]},
    "past": {"class": "window", "window_size": 3, "window_right": 0, "from": "in"},
    "flat": {"class": "merge_dims", "axes": "static", "from": "past"},
    "of_input": {"class": "window", "window_size": 2, "window_left": 1, "axis": "T", "from": "data:source"},
    "flat_input": {"class": "merge_dims", "axes": "static", "from": "of_input"},
    "sub": {"class": "subnetwork", "from": "in", "subnetwork": {
        "deep": {"class": "subnetwork", "from": "data", "subnetwork": {
            "aux": {"class": "linear", "activation": None, "n_out": 2, "from": "data", "loss": "as_is", "loss_scale": 0.3},
            "output": {"class": "copy", "from": "aux"}}},
        "output": {"class": "copy", "from": "deep"}}},
    "labels": {"class": "softmax", "from": "in", "n_out": 4, "target": "classes", "loss": "ce", "loss_opts": {"custom_norm_factor": 0.5, "use_normalized_loss": True}},
    "moved": {"class": "dropout", "from": "data:source", "dropout": 0.5, "dropout_noise_shape": {"*": 1, "T": 1}},
    "output": {"class": "linear", "activation": "tanh", "n_out": 6, "from": ["flat", "flat_input", "sub"]},
}
network = {
    "lin": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "loop": {"class": "rec", "from": "lin", "unit": {name: layer for name, layer in loop.items() if name != "moved"}, "batch_norm": {"masked_time": True}},
    "cell": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "lin", "name_scope": "shared", "batch_norm": True, "L2": 0.1},
    "masked_by_time": {"class": "rec", "from": "lin", "is_output_layer": True, "unit": {"output": dict(loop["moved"], dropout_on_forward=False)}},
    "of_target": {"class": "softmax", "from": "cell", "n_out": 4, "loss": "generic_ce", "target": "classes", "size_target": "classes"},
    "output": {"class": "eval", "eval": "tf.sin(source(0))", "from": "loop", "loss": "as_is"},
}

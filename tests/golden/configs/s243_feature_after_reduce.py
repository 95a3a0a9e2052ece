# After reducing the feature axis, the last axis of fixed size acts as the feature axis.
feature_tags = ["axes", "reduce"]
extern_data = {"data": {"dim": 5}}
network = {
    "x": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "split": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": "x"},
    "less": {"class": "reduce", "mode": "max", "axes": "F", "from": "split"},
    "least": {"class": "reduce", "mode": "sum", "axis": "F", "from": "less", "is_output_layer": True},
    "none": {"class": "reduce", "mode": "mean", "axis": "T", "from": "less", "is_output_layer": True},
    "lin": {"class": "linear", "activation": "sigmoid", "n_out": 3, "from": "less"},
    "both": {"class": "copy", "from": ["lin", "less"], "is_output_layer": True},
    "output": {"class": "eval", "from": "lin", "eval": "tf.sin(source(0) * 3)", "loss": "as_is"},
}
batch = {"seq_lens": {"data": [6, 4, 1]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 243

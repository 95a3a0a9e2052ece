# search_sorted, train_flag, global_train_step, combine_dims.
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}, "values": {"dim": None, "shape": (5,), "dtype": "float32"}}
network = {
    "steps": {"class": "eval", "eval": "tf.abs(source(0)) + 0.1", "from": "data"},
    "one": {"class": "reduce", "mode": "sum", "axis": "F", "from": "steps"},
    "rising": {"class": "cumsum", "axis": "T", "from": "one", "is_output_layer": True},
    "left": {"class": "search_sorted", "sorted_sequence": "rising", "values": "data:values", "axis": "T",
             "is_output_layer": True},
    "right": {"class": "search_sorted", "sorted_sequence": "rising", "values": "data:values", "axis": "T", "side": "right",
              "is_output_layer": True},
    "step": {"class": "global_train_step", "is_output_layer": True},
    "flag": {"class": "train_flag", "is_output_layer": True},
    "lin": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "split": {"class": "split_dims", "axis": "F", "dims": (2, 2), "from": "lin"},
    "swapped": {"class": "combine_dims", "axes": ["static:1", "static:0"], "from": "split"},
    "output": {"class": "switch", "condition": "flag", "true_from": "swapped", "false_from": "lin", "loss": "as_is"},
}
batch = {"values": {"values": {"dist": "uniform", "low": 0.0, "high": 9.0}}}

# shift_axis in its forms: to the right, lengths follow up to the longest of the batch.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
batch = {"seq_lens": {"data": [6, 3, 1], "classes": [6, 3, 1]}}
behavior_version = 12
network = {
    "lin": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "right": {"class": "shift_axis", "axis": "T", "amount": 1, "from": "lin", "is_output_layer": True},
    "filled": {"class": "shift_axis", "axis": "T", "amount": 2, "pad_value": 2.5, "from": "lin", "is_output_layer": True},
    "cut": {"class": "shift_axis", "axis": "T", "amount": 2, "pad": False, "from": "lin", "is_output_layer": True},
    "same_lengths": {"class": "shift_axis", "axis": "T", "amount": -1, "adjust_size_info": False, "from": "lin", "is_output_layer": True},
    "left": {"class": "shift_axis", "axis": "T", "amount": -1, "pad": False, "from": "lin", "is_output_layer": True},
    "features": {"class": "shift_axis", "axis": "F", "amount": 1, "pad": False, "from": "lin", "is_output_layer": True},
    "next": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "filled"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "next"},
    "of_cut": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "cut"},
    "last": {"class": "reduce", "mode": "max", "axis": "T", "from": "of_cut"},
    "output": {"class": "combine", "kind": "add", "from": ["mean", "last"], "loss": "as_is"},
}

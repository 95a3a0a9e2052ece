# The identifiers of axes in layers that take one or several.
extern_data = {"data": {"dim": 6}, "img": {"shape": (None, 3, 4), "dim": 4}}
network = {"output": {"class": "copy", "from": "data"}}
_layers = {
    "sm_T": {"class": "softmax_over_spatial", "axis": "T", "from": "data"}, "sm_dyn": {"class": "softmax_over_spatial", "axis": "dyn:0", "from": "data:img"},
    "sm_S": {"class": "softmax_over_spatial", "axis": "spatial:1", "from": "data:img"}, "sm_last": {"class": "softmax_over_spatial", "axis": "S:-1", "from": "data:img", "energy_factor": 2.0},
    "merge_static": {"class": "merge_dims", "axes": ["static:0", "F"], "from": "data:img"}, "merge_bt": {"class": "merge_dims", "axes": ["B", "T"], "from": "data"},
    "merge_eb": {"class": "merge_dims", "axes": "except_time", "from": "data:img"},
    "split_F": {"class": "split_dims", "axis": "feature", "dims": (3, 2), "from": "data"}, "split_T": {"class": "split_dims", "axis": "T", "dims": (-1, 2), "from": "data"},
    "exp_T": {"class": "expand_dims", "axis": "T", "from": "data"}, "exp_F": {"class": "expand_dims", "axis": "f", "from": "data"}, "exp_S": {"class": "expand_dims", "axis": "spatial", "from": "data:img"},
    "sq_F": {"class": "squeeze", "axis": "F", "from": "one"}, "swap": {"class": "swap_axes", "axis1": "static:0", "axis2": "F", "from": "data:img"}, "swap_t": {"class": "swap_axes", "axis1": "T", "axis2": "dim:3", "from": "data:img"},
    "slice_b": {"class": "slice", "axis": "B", "slice_end": 2, "from": "data"}, "slice_s": {"class": "slice", "axis": "spatial:1", "slice_step": 2, "from": "data:img"},
    "gather_F": {"class": "gather", "axis": "F", "position": 2, "from": "data"}, "gather_s": {"class": "gather", "axis": "static:0", "position": 1, "from": "data:img"},
    "pad_s": {"class": "pad", "axes": "static:0", "padding": (1, 0), "mode": "reflect", "from": "data:img"}, "pad_two": {"class": "pad", "axes": ["T", "F"], "padding": [(1, 1), (0, 2)], "value": 2.0, "from": "data"},
    "win_s": {"class": "window", "axis": "static:0", "window_size": 2, "from": "data:img"}, "win_t": {"class": "window", "axis": "time", "window_size": 3, "stride": 2, "from": "data"},
    "dot": {"class": "dot", "from": ["data:img", "data:img"], "red1": "static:0", "red2": "static:0", "var1": "F", "var2": "F"},
    "cum_t": {"class": "cumsum", "axis": "T", "from": "data"}, "cum_f": {"class": "cumsum", "axis": "F", "reverse": True, "from": "data"},
    "top": {"class": "top_k", "axis": "F", "k": 2, "from": "data"}, "arg": {"class": "reduce", "mode": "argmax", "axis": "static:0", "from": "data:img"}, "mean_eb": {"class": "reduce", "mode": "mean", "axes": "except_batch", "from": "data:img"},
    "shift": {"class": "shift_axis", "axis": "T", "amount": 1, "adjust_size_info": False, "from": "data"}, "shift_l": {"class": "shift_axis", "axis": "time", "amount": -2, "pad_value": 3.0, "adjust_size_info": False, "from": "data"}, "win_v": {"class": "window", "axis": "T", "window_size": 2, "padding": "valid", "from": "data"}, "win_vs": {"class": "window", "axis": "static:0", "window_size": 2, "padding": "valid", "stride": 2, "from": "data:img"},
    "range": {"class": "range_in_axis", "axis": "T", "from": "data"}, "len": {"class": "length", "axis": "T", "from": "data"}, "norm": {"class": "norm", "axes": ["T", "F"], "from": "data"}, "normed": {"class": "norm", "axis": "F", "from": "data:img"},
    "rep": {"class": "repeat", "axis": "T", "repetitions": 2, "from": "data"}, "resize": {"class": "resize", "axis": "T", "factor": 2, "from": "data"}, "split": {"class": "split", "axis": "F", "num_splits": 3, "from": "data"},
}
network["one"] = {"class": "linear", "activation": None, "n_out": 1, "from": "data"}
for _name, _layer in _layers.items():
    network[_name] = dict(_layer, is_output_layer=True)
batch = {"seq_lens": {"data": [6, 5, 2], "img": [4, 4, 1]}}
seed = 144

extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "w": {"class": "window", "window_size": 3, "from": "data"},
    "m": {"class": "merge_dims", "axes": "except_time", "from": "w", "keep_order": True} ,
    "wl": {"class": "window", "window_size": 4, "window_left": 2, "from": "data"},
    "wr": {"class": "reduce", "mode": "mean", "axis": "s:1", "from": "wl"},
    "sl": {"class": "slice", "axis": "F", "slice_start": 1, "slice_end": 3, "from": "data"},
    "p": {"class": "pad", "axes": "F", "padding": (1, 2), "value": 0.5, "from": "sl"},
    "pre": {"class": "prefix_in_time", "prefix": 0.0, "from": "sl"},
    "g": {"class": "gating", "activation": "tanh", "from": "p2"},
    "p2": {"class": "linear", "activation": None, "n_out": 8, "from": ["p", "w2"]},
    "w2": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["wr", "m2"]},
    "m2": {"class": "merge_dims", "axes": ["dim:3", "F"], "from": "w"},
    "output": {"class": "softmax", "from": ["g", "w2"], "loss": "ce"},
}
del network["m"]; 
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
updater = {"optimizer": {"class": "adagrad"}}
seed = 114

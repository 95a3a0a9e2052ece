# Attention over the few frames around the loop's own, as in aligned models: the window's axis has a fixed size and is no time axis.
extern_data = {"data": {"dim": 6}, "alignment": {"dim": 7, "sparse": True}}
target = "alignment"
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "from": "data"},
    "ctx": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "enc"},
    "ctx_win": {"class": "window", "from": "ctx", "window_size": 3},
    "val": {"class": "copy", "from": "enc"},
    "val_win": {"class": "window", "from": "val", "window_size": 3},
    "frames": {"class": "reinterpret_data", "from": "data:alignment", "size_base": "enc", "register_as_extern_data": "labels"},
    "output": {"class": "rec", "from": "enc", "target": "labels", "unit": {
        "am": {"class": "copy", "from": "data:source"},
        "ctx_here": {"class": "gather_nd", "from": "base:ctx_win", "position": ":i"},
        "val_here": {"class": "gather_nd", "from": "base:val_win", "position": ":i"},
        "query": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": ["am", "prev:s"]},
        "energy": {"class": "dot", "red1": "f", "red2": "f", "var1": "static:0", "var2": None, "from": ["ctx_here", "query"]},
        "weights0": {"class": "softmax_over_spatial", "axis": "static:0", "from": "energy", "energy_factor": 0.5},
        "weights1": {"class": "dropout", "dropout_noise_shape": {"*": None}, "from": "weights0", "dropout": 0.0},
        "weights": {"class": "merge_dims", "from": "weights1", "axes": "except_time"},
        "att": {"class": "dot", "from": ["weights", "val_here"], "red1": "static:0", "red2": "static:0", "var1": None, "var2": "f"},
        "output": {"class": "choice", "target": "labels", "beam_size": 2, "from": "prob", "initial_output": 0},
        "embed": {"class": "linear", "activation": None, "n_out": 3, "from": "output", "initial_output": 0},
        "s": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": ["am", "prev:embed", "att"]},
        "prob": {"class": "softmax", "from": ["s", "att"], "target": "labels", "loss": "ce"},
    }},
}
batch = {"seq_lens": {"data": [6, 5, 3], "alignment": [6, 5, 3]}}
updater = {"optimizer": {"class": "adam"}}

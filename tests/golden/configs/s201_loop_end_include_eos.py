feature_tags = ["rec", "end", "include_eos", "max_len_from"]
extern_data = {"data": {"dim": 5}, "classes": {"dim": 3, "shape": (3,), "time_dim_axis": None}}
batch = {"seq_lens": {"data": [6, 4, 3, 1]}}
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "enc_mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
    "len": {"class": "length", "from": "enc"},
    "output": {"class": "rec", "from": [], "max_seq_len": "max_len_from('base:enc') - 1", "include_eos": True, "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["base:enc_mean", "prev:att"]},
        "query": {"class": "linear", "activation": None, "n_out": 4, "from": "s"},
        "energy": {"class": "dot", "red1": "F", "red2": "F", "var1": "T", "var2": None, "from": ["base:enc", "query"]},
        "weights": {"class": "softmax_over_spatial", "from": "energy"},
        "att": {"class": "generic_attention", "weights": "weights", "base": "base:enc"},
        "i": {"class": "eval", "from": ":i", "eval": "source(0) + 2"},
        "end": {"class": "compare", "kind": "greater_equal", "from": ["i", "base:len"]},
        "readout": {"class": "linear", "activation": "tanh", "n_out": 6, "from": ["s", "att"], "is_output_layer": True},
        "output": {"class": "linear", "activation": "softmax", "n_out": 3, "from": "readout"}}},
    "post": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "direction": -1, "from": "output"},
    "sub": {"class": "reduce", "mode": "max", "axis": "T", "from": "output/readout"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "post"},
    "fit": {"class": "linear", "activation": None, "n_out": 3, "from": ["mean", "sub"], "loss": "mse", "target": "classes"},
}

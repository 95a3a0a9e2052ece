feature_tags = ["rec", "end", "optimize_move_layers_out", "need_last"]
extern_data = {"data": {"dim": 5}}
batch = {"seq_lens": {"data": [6, 4, 3]}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
    "loop": {"class": "rec", "from": [], "max_seq_len": 5, "optimize_move_layers_out": False, "unit": {
        "s": {"class": "rnn_cell", "unit": "gru", "n_out": 4, "from": ["base:mean", "prev:output"]},
        "p": {"class": "linear", "activation": "sigmoid", "n_out": 1, "from": "s"},
        "p0": {"class": "squeeze", "axis": "F", "from": "p"},
        "end": {"class": "compare", "kind": "less", "value": 0.35, "from": "p0"},
        "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["s", "prev:output"]}}},
    "output": {"class": "linear", "activation": None, "n_out": 2, "from": "loop"},
    "masked": {"class": "reduce", "mode": "sum", "axis": "T", "from": "output"},
    "fit": {"class": "eval", "eval": "source(0) ** 2", "from": "masked", "loss": "as_is"},
}

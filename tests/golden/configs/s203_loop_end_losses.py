feature_tags = ["rec", "end", "loss"]
extern_data = {"data": {"dim": 5}}
batch = {"seq_lens": {"data": [6, 4, 3]}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
    "output": {"class": "rec", "from": [], "max_seq_len": 7, "unit": {
        "s": {"class": "rnn_cell", "unit": "gru", "n_out": 4, "from": ["base:mean", "prev:s"]},
        "x": {"class": "eval", "eval": "source(0) ** 2", "from": "s", "loss": "as_is"},
        "p": {"class": "reduce", "mode": "mean", "axis": "F", "from": "s"},
        "fed": {"class": "eval", "eval": "source(0) + 0.1 * source(1)", "from": ["prev:fed", "p"], "out_type": {"shape": ()}, "loss": "as_is"},
        "end": {"class": "compare", "kind": "greater", "value": 0.03, "from": "fed"},
        "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["s", "prev:output"], "loss": "as_is", "loss_scale": 0.5}}},
}

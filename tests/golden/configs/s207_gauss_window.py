# gauss_window_attention in a loop, of several deviations.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "dec": {"class": "rec", "from": [], "target": "classes", "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["prev:t", "prev:c", "prev:w"]},
        "t": {"class": "linear", "activation": "exp", "n_out": 1, "from": "s"},
        "c": {"class": "gauss_window_attention", "from": "t", "base": "base:enc", "window_size": 3, "std": 0.8},
        "c2": {"class": "gauss_window_attention", "from": "t", "base": "base:enc", "window_size": 5},
        "w": {"class": "copy", "from": "c2"},
        "output": {"class": "softmax", "from": ["s", "c", "w"], "target": "classes", "loss": "ce"}}},
    "output": {"class": "copy", "from": "dec"},
}
batch = {"seq_lens": {"data": [9, 7, 6], "classes": [3, 2, 3]}}

# state: the state before a step, given by layers: in a loop with one state, outside of loops with c and h as list and dict.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "c0": {"class": "linear", "activation": None, "n_out": 5, "from": "mean"},
    "h0": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "mean"},
    "gru": {"class": "rnn_cell", "unit": "GRU", "n_out": 5, "from": "mean", "state": "h0"},
    "lstm": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 5, "from": "gru", "state": ["c0", "h0"]},
    "native": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "from": "lstm", "state": {"c": "c0", "h": "h0"}},
    "plain": {"class": "rnn_cell", "unit": "BasicRNN", "n_out": 5, "from": "native", "state": "c0"},
    "loop": {"class": "rec", "from": "data", "unit": {
        "fed": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "prev:h"},
        "h": {"class": "rnn_cell", "unit": "GRU", "n_out": 5, "from": "data:source", "state": "fed"},
        "output": {"class": "combine", "kind": "add", "from": ["h", "base:plain"]}}},
    "output": {"class": "softmax", "from": "loop", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 1, 3], "classes": [6, 1, 3]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 138

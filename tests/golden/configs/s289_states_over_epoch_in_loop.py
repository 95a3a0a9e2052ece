# Cells of a loop that go on from batch to batch, each of its states in its own way.
feature_tags = ["initial_state", "rec", "rnn_cell"]
seed = 7
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
network = {
    "loop": {"class": "rec", "from": "data", "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["data:source", "prev:output"],
              "initial_state": {"c": "keep_over_epoch", "h": "var"}},
        "g": {"class": "rnn_cell", "unit": "GRU", "n_out": 3, "from": ["s", "prev:output"],
              "initial_state": "keep_over_epoch"},
        "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["s", "g"]}}},
    "output": {"class": "rec", "from": "loop", "unit": {
        "s": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": ["data:source", "prev:output"],
              "initial_state": "keep_over_epoch"},
        "output": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"}}}}

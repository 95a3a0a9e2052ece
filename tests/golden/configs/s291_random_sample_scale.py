# Random numbers on the scores of a search in training, too small to change an order.
feature_tags = ["choice", "random_sample_scale", "search", "train"]
seed = 7
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [5, 4, 2]}}
param_scale = 3.0
network = {
    "enc": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "output": {"class": "rec", "from": [], "target": "classes", "unit": {
        "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "output",
                  "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["base:enc", "prev:embed"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce"},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0,
                   "search": True, "random_sample_scale": 1e-7, "base_beam_score_scale": 0.5}},
        "loss": "expected_loss", "loss_opts": {"loss": {"class": "edit_distance"}, "loss_kind": "error"}}}

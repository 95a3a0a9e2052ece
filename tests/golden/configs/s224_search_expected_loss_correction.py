feature_tags = ["search", "expected_loss", "edit_distance", "train"]
seed = 3
extern_data = {"data": {"dim": 5}, "classes": {"dim": 6, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [4, 2, 3]}}
param_scale = 3.0
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
    "output": {"class": "rec", "from": [], "target": "classes", "unit": {
        "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "output", "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["prev:embed", "base:mean"]},
        "prob": {"class": "softmax", "target": "classes", "from": "s"},
        "output": {"class": "choice", "target": "classes", "search": True, "beam_size": 3, "from": "prob", "initial_output": 0, "length_normalization": False}},
        "loss": "expected_loss", "loss_opts": {"loss": {"class": "edit_distance"}, "loss_kind": "error", "norm_scores_stop_gradient": False, "loss_correction_grad_only": True}},
}

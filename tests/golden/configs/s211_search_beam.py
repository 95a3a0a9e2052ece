feature_tags = ["search", "choice", "length_normalization", "decide", "edit_distance"]
seed = 1
search_flag = True
extern_data = {"data": {"dim": 5}, "classes": {"dim": 6, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [4, 2, 3]}}
param_scale = 3.0
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc') * 2", "unit": {
        "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "output", "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["prev:embed", "base:mean"]},
        "prob": {"class": "softmax", "target": "classes", "from": "s"},
        "output": {"class": "choice", "target": "classes", "beam_size": 4, "from": "prob", "initial_output": 0},
        "end": {"class": "compare", "kind": "equal", "value": 2, "from": "output"}}},
    "decision": {"class": "decide", "from": "output", "loss": "edit_distance", "target": "classes"},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
}

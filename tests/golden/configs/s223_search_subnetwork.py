feature_tags = ["search", "choice", "subnetwork", "rec_unit", "decide"]
seed = 5
search_flag = True
extern_data = {"data": {"dim": 5}, "classes": {"dim": 6, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [4, 2, 3]}}
param_scale = 3.0
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "enc"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "tf.minimum(max_len_from('base:enc') * 2, 9)", "unit": {
        "sub": {"class": "subnetwork", "from": ["prev:output_embed", "base:mean"], "subnetwork": {
            "in": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
            "cell": {"class": "rnn_cell", "unit": "gru", "n_out": 4, "from": "in"},
            "output": {"class": "combine", "kind": "add", "from": ["in", "cell"]}}},
        "prob": {"class": "linear", "activation": "log_softmax", "n_out": 6, "from": "sub"},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "input_type": "log_prob", "initial_output": 0},
        "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "output"},
        "output_embed": {"class": "combine", "kind": "add", "n_out": 3, "from": ["embed", "old"]},
        "old": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["sub", "base:mean"]},
        "end": {"class": "compare", "kind": "equal", "value": 2, "from": "output"}}},
    "decision": {"class": "decide", "from": "output", "is_output_layer": True},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
}

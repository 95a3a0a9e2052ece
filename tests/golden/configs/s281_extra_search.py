# Training with a search of the same decoder beside it: extra.search nets, with the same parameters.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc')", "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 6, "from": ["prev:emb", "prev:att"]},
        "e_in": {"class": "combine", "kind": "add", "from": ["base:enc", "s"]},
        "e": {"class": "linear", "activation": None, "n_out": 1, "with_bias": False, "from": "e_in"},
        "w": {"class": "softmax_over_spatial", "from": "e"},
        "att": {"class": "generic_attention", "base": "base:enc", "weights": "w"},
        "prob": {"class": "softmax", "from": ["s", "att"], "target": "classes", "loss": "ce",
                 "loss_only_on_non_search": True},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": "classes", "initial_output": 0},
        "emb": {"class": "linear", "activation": None, "n_out": 4, "with_bias": False, "from": "output",
                "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0}}},
    "best": {"class": "decide", "from": "extra.search:output", "is_output_layer": True},
    "scores": {"class": "choice_get_beam_scores", "from": "extra.search:output", "is_output_layer": True},
}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [5, 4, 2]}}
seed = 281

# Two choices in each step, with different beams: the second goes on from the first, the next step from the second.
feature_tags = ["search", "choice", "several choices", "decide"]
seed = 255
search_flag = True
extern_data = {"data": {"dim": 4}, "classes": {"dim": 6, "sparse": True}, "tone": {"dim": 3, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [5, 4, 2], "tone": [5, 4, 2]}}
param_scale = 3.0
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "output": {"class": "rec", "from": [], "target": "tone", "max_seq_len": "max_len_from('base:enc')", "unit": {
        "emb": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["prev:label_emb", "prev:colour_emb"]},
        "s": {"is_output_layer": True, "class": "rnn_cell", "unit": "LSTMBlock", "n_out": 5, "from": ["emb", "prev:att"]},
        "prob": {"class": "softmax", "from": ["s", "prev:s2"], "target": "classes", "loss": "ce", "loss_only_on_non_search": True},
        "label": {"class": "choice", "target": "classes", "beam_size": 4, "from": "prob", "initial_output": 0},
        "label_emb": {"is_output_layer": True, "class": "linear", "activation": "tanh", "n_out": 3, "from": "label", "initial_output": 0},
        "s2": {"is_output_layer": True, "class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["label_emb", "s"]},
        "e_in": {"class": "combine", "kind": "add", "from": ["base:enc", "s"]},
        "e": {"class": "linear", "activation": None, "n_out": 1, "with_bias": False, "from": "e_in"},
        "w": {"class": "softmax_over_spatial", "from": "e"},
        "att": {"class": "generic_attention", "base": "base:enc", "weights": "w"},
        "prob2": {"class": "softmax", "from": ["s2", "att"], "target": "tone", "loss": "ce", "loss_only_on_non_search": True},
        "colour": {"class": "choice", "target": "tone", "beam_size": 3, "from": "prob2", "initial_output": 0, "prob_scale": 0.7,
                   "base_beam_score_scale": 0.9},
        "colour_emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "colour", "initial_output": 0},
        "output": {"class": "copy", "from": "colour", "is_output_layer": True},
        "label_out": {"class": "copy", "from": "label", "is_output_layer": True},
        "end": {"class": "compare", "kind": "equal", "value": 0, "from": "label"},
    }},
    "decision": {"class": "decide", "from": "output", "target": "tone", "loss": "edit_distance", "only_on_search": True},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
    "labels": {"class": "copy", "from": "output/label_out", "is_output_layer": True},
    "best_labels": {"class": "decide", "from": "output/label_out", "is_output_layer": True},
    "label_emb": {"class": "copy", "from": "output/label_emb", "is_output_layer": True},
    "s": {"class": "copy", "from": "output/s", "is_output_layer": True},
    "s2": {"class": "copy", "from": "output/s2", "is_output_layer": True},
}

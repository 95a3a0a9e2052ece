# Training of a decoder with two choices, and a search of it beside that, which keeps the targets among its hypotheses.
feature_tags = ["search", "extra.search", "choice", "several choices", "cheating"]
seed = 259
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}, "tone": {"dim": 3, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [5, 4, 2], "tone": [5, 4, 2]}}
param_scale = 2.0
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "output": {"class": "rec", "from": [], "target": "tone", "optimize_move_layers_out": False, "max_seq_len": "max_len_from('base:enc')", "unit": {
        "emb": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["prev:label_emb", "prev:tone_emb"]},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 5, "from": ["emb", "prev:att"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes", "loss": "ce", "loss_only_on_non_search": True},
        "label": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0},
        "label_emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "label", "initial_output": 0},
        "s2": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": ["label_emb", "s"]},
        "e": {"class": "dot_attention", "from": "s", "base": "base:enc", "base_ctx": "base:enc"},
        "att": {"class": "copy", "from": "e"},
        "prob2": {"class": "softmax", "from": ["s2", "att"], "target": "tone", "loss": "ce", "loss_only_on_non_search": True},
        "tone_choice": {"class": "choice", "target": "tone", "beam_size": 3, "from": "prob2", "initial_output": 0, "cheating": "exclusive"},
        "tone_emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "tone_choice", "initial_output": 0},
        "label_out": {"class": "copy", "from": "label", "is_output_layer": True},
        "output": {"class": "copy", "from": "tone_choice", "is_output_layer": True},
    }},
    "hypotheses": {"class": "decide", "from": "extra.search:output", "is_output_layer": True},
    "scores": {"class": "choice_get_beam_scores", "from": "extra.search:output", "is_output_layer": True},
}

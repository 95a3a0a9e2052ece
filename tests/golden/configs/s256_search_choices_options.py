# Three choices: one that keeps the beams, one that takes its target and adds its score, one that builds on an explicit source.
feature_tags = ["search", "choice", "several choices", "keep_beams", "add_to_beam_scores", "explicit_search_source"]
seed = 256
search_flag = True
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}, "other": {"dim": 4, "sparse": True}}
batch = {"seq_lens": {"data": [5, 4, 2], "classes": [5, 4, 2], "other": [5, 4, 2]}}
param_scale = 3.0
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "s": {"is_output_layer": True, "class": "rnn_cell", "unit": "LSTMBlock", "n_out": 5, "from": ["data:source", "prev:att", "prev:emb"]},
        "e": {"class": "dot_attention", "from": "s", "base": "base:enc", "base_ctx": "base:enc"},
        "att": {"class": "copy", "from": "e"},
        "prob": {"class": "softmax", "from": "s", "target": "classes"},
        "first": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "keep_beams": True, "initial_output": 1,
                  "length_normalization": False, "explicit_search_source": "prev:output"},
        "first_emb": {"is_output_layer": True, "class": "linear", "activation": "tanh", "n_out": 3, "from": "first"},
        "prob2": {"class": "softmax", "from": ["first_emb", "s"], "target": "other"},
        "known": {"class": "choice", "target": "other", "beam_size": 3, "from": "prob2", "search": False, "initial_output": 0,
                  "length_normalization": False, "prob_scale": 0.5},
        "known_emb": {"is_output_layer": True, "class": "linear", "activation": "tanh", "n_out": 3, "from": "known"},
        "log_prob3": {"class": "linear", "activation": "log_softmax", "from": ["known_emb", "s"], "n_out": 5},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "log_prob3", "input_type": "log_prob", "initial_output": 2,
                   "length_normalization": False, "explicit_search_sources": ["first_emb"]},
        "emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "first", "initial_output": "zeros"},
    }},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
    "decision": {"class": "decide", "from": "output", "is_output_layer": True},
    "first_emb": {"class": "copy", "from": "output/first_emb", "is_output_layer": True},
    "known_emb": {"class": "copy", "from": "output/known_emb", "is_output_layer": True},
    "s": {"class": "copy", "from": "output/s", "is_output_layer": True},
}

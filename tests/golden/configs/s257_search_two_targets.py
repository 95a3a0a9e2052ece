# One choice over the scores of two sources: combinations of the best labels of each.
feature_tags = ["search", "choice", "several sources", "decide"]
seed = 257
search_flag = True
extern_data = {"data": {"dim": 4}, "classes_0": {"dim": 6, "sparse": True}, "classes_1": {"dim": 7, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes_0": [5, 4, 2], "classes_1": [5, 4, 2]}}
param_scale = 2.0
network = {
    "encoder": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data:data"},
    "output": {"class": "rec", "from": [], "target": "classes_1", "max_seq_len": 7, "unit": {
        "end": {"class": "compare", "from": "output_0", "value": 0},
        "emb_0": {"class": "linear", "activation": None, "from": "output_0", "n_out": 4, "initial_output": 0},
        "emb_1": {"class": "linear", "activation": None, "from": "output_1", "n_out": 4, "initial_output": 0},
        "emb": {"class": "copy", "from": ["emb_0", "emb_1"], "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["prev:c", "prev:emb"], "n_out": 5},
        "c_in": {"class": "linear", "activation": "tanh", "from": ["s", "prev:emb"], "n_out": 5},
        "c": {"class": "dot_attention", "from": "c_in", "base": "base:encoder", "base_ctx": "base:encoder"},
        "prob_0": {"class": "softmax", "from": ["prev:s", "c"], "target": "classes_0", "loss": "ce", "loss_only_on_non_search": True},
        "prob_1": {"class": "softmax", "from": ["prev:s", "c"], "target": "classes_1", "loss": "ce", "loss_only_on_non_search": True},
        "output": {"class": "choice", "target": ["classes_0", "classes_1"], "beam_size": 4, "from": ["prob_0", "prob_1"],
                   "source_beam_sizes": [2, 6], "initial_output": 0},
        "output_0": {"class": "copy", "from": "output/out_0", "is_output_layer": True, "initial_output": 0},
        "output_1": {"class": "copy", "from": "output/out_1", "is_output_layer": True, "initial_output": 0},
    }},
    "output_0": {"class": "copy", "from": "output/output_0", "is_output_layer": True},
    "output_1": {"class": "copy", "from": "output/output_1", "is_output_layer": True},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
    "decision_0": {"class": "decide", "from": "output_0", "loss": "edit_distance", "target": "classes_0"},
    "decision_1": {"class": "decide", "from": "output_1", "loss": "edit_distance", "target": "classes_1"},
}

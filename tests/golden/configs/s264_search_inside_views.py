# What a search's layers see of it: source beams and scores in the loop, rows as they were in each step, the beam as an axis; a regression in a search.
feature_tags = ["search", "choice", "choice_get_src_beams", "choice_get_beam_scores", "decide_keep_beam", "split_batch_beam", "regression"]
seed = 264
search_flag = True
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
batch = {"seq_lens": {"data": [5, 4, 2], "classes": [5, 4, 2]}}
param_scale = 3.0
unit = {
    "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 5, "from": ["prev:att", "prev:emb2"]},
    "att": {"class": "dot_attention", "from": "s", "base": "base:enc", "base_ctx": "base:enc"},
    "end": {"class": "compare", "from": "output", "value": 0},
    "prob": {"class": "softmax", "from": "s", "target": "classes"},
    "one": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0},
    "emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "one"},
    "prob2": {"class": "softmax", "from": ["emb", "s"], "target": "classes"},
    "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob2", "initial_output": 0},
    "emb2": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "output", "initial_output": 0},
}
for name in ("one", "output"):
    unit["src_" + name] = {"class": "choice_get_src_beams", "from": name, "is_output_layer": True}
    unit["scores_" + name] = {"class": "choice_get_beam_scores", "from": name, "is_output_layer": True}
    unit["raw_" + name] = {"class": "decide_keep_beam", "from": name, "is_output_layer": True}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 5, "unit": unit},
    "scores": {"class": "choice_get_beam_scores", "from": "output"},
    "scores_of_beam": {"class": "split_batch_beam", "from": "scores", "is_output_layer": True},
    "numbers": {"class": "rec", "from": "data", "unit": {
        "s": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:output"]},
        "output": {"class": "choice", "input_type": "regression", "target": "data", "beam_size": 1, "from": "s", "initial_output": 0,
                   "length_normalization": False}}, "is_output_layer": True},
}
for name in ("one", "output"):
    for kind in ("src_", "scores_", "raw_"):
        network["see_" + kind + name] = {"class": "copy", "from": "output/" + kind + name, "is_output_layer": True}

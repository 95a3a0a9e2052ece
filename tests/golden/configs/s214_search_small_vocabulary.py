feature_tags = ["search", "choice", "input_type", "prob_scale", "decide"]
seed = 3
search_flag = True
extern_data = {"data": {"dim": 5}, "classes": {"dim": 3, "sparse": True}}
batch = {"seq_lens": {"data": [5, 4, 2], "classes": [4, 2, 3]}}
param_scale = 3.0
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": 6, "unit": {
        "embed": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:after"},
        "s": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": ["embed", "base:mean"]},
        "logits": {"class": "linear", "activation": None, "n_out": 3, "from": "s"},
        "output": {"class": "choice", "target": "classes", "beam_size": 5, "from": "logits", "input_type": "logits", "prob_scale": 0.7, "length_normalization": False, "initial_output": 1},
        "after": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["s", "vec"]},
        "vec": {"class": "linear", "activation": None, "with_bias": False, "n_out": 2, "from": "output"},
        "end": {"class": "compare", "kind": "equal", "value": 2, "from": "output"}}},
    "decision": {"class": "decide", "from": "output", "length_normalization": True, "is_output_layer": True},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
}

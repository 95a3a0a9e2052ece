feature_tags = ["search", "choice", "beam_size", "data:source", "decide"]
seed = 2
search_flag = True
extern_data = {"data": {"dim": 5}, "classes": {"dim": 6, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [4, 2, 3]}}
param_scale = 3.0
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "output": {"class": "rec", "from": "enc", "unit": {
        "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "prev:output"},
        "in": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data:source"},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["embed", "in"]},
        "prob": {"class": "softmax", "target": "classes", "from": ["s", "data:source"]},
        "output": {"class": "choice", "target": "classes", "beam_size": 4, "from": "prob", "initial_output": 0}}},
    "decision": {"class": "decide", "from": "output", "is_output_layer": True},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
}

# A transducer's search over the encoder's frames: its language model steps on only after labels that are not blank, and
# another state only after those of this step.
feature_tags = ["search", "choice", "masked_computation", "unmask", "compare"]
seed = 282
search_flag = True
extern_data = {"data": {"dim": 5}, "classes": {"dim": 6, "sparse": True}}
batch = {"seq_lens": {"data": [7, 4, 3], "classes": [4, 2, 3]}}
param_scale = 3.0
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "output": {"class": "rec", "from": "enc", "unit": {
        "is_label": {"class": "compare", "kind": "greater", "value": 2, "from": "output", "initial_output": True},
        "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "prev:output"},
        "lm_masked": {"class": "masked_computation", "mask": "prev:is_label", "from": "embed",
                      "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
                          "cell": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": "data"},
                          "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["cell", "data"]}}}},
        "lm": {"class": "unmask", "from": "lm_masked", "mask": "prev:is_label"},
        "rec_masked": {"class": "masked_computation", "mask": "prev:is_label", "from": ["lm"],
                       "unit": {"class": "rnn_cell", "unit": "standardlstm", "n_out": 3, "from": "data"}},
        "prob": {"class": "softmax", "target": "classes", "from": ["lm", "rec_masked", "data:source", "prev:late"]},
        "output": {"class": "choice", "target": "classes", "beam_size": 4, "from": "prob", "initial_output": 0},
        "out_embed": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "output"},
        "late": {"class": "masked_computation", "mask": "is_label", "from": "out_embed",
                 "unit": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "data"}}}},
    "decision": {"class": "decide", "from": "output", "is_output_layer": True},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
}

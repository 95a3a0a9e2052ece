feature_tags = ["rec", "masked_computation", "unmask", "masked_from", "transducer"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}, "labels": {"dim": 5, "sparse": True}}
network = {
    "output": {"class": "rec", "from": [], "target": "classes", "unit": {
        "output": {"class": "choice", "from": "output_prob", "target": "classes", "beam_size": 2, "initial_output": 0, "input_type": "prob"},
        "emit": {"class": "compare", "kind": "not_equal", "value": 0, "from": "output", "initial_output": True},
        "lm_embed": {"class": "linear", "activation": None, "n_out": 3, "with_bias": False, "from": "prev:output"},
        "lm_masked": {"class": "masked_computation", "mask": "prev:emit", "from": "lm_embed", "masked_from": "base:lm_emb",
                      "unit": {"class": "subnetwork", "from": "data", "subnetwork": {
                          "a": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
                          "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "a"}}}},
        "lm": {"class": "unmask", "mask": "prev:emit", "from": "lm_masked"},
        "lm_inside": {"class": "unmask", "mask": "prev:emit", "from": "lm_masked", "collocate_with": "state"},
        "state": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["lm", "prev:state", "lm_inside"]},
        "output_prob": {"class": "softmax", "from": ["state", "lm"], "loss": "ce", "target": "classes"},
    }},
    "lm_emb": {"class": "linear", "activation": None, "n_out": 3, "with_bias": False, "from": "data:labels"},
}
batch = {"seq_lens": {"data": [6, 4, 5], "classes": [6, 4, 5], "labels": [4, 3, 2]},
         "values": {"classes": [[0, 2, 0, 3, 1, 0], [1, 0, 4, 0, 0, 0], [0, 0, 0, 2, 0, 0]], "labels": [[0, 2, 3, 1], [0, 1, 4, 0], [0, 2, 0, 0]]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 488

feature_tags = ["search", "choice", "attention", "decide", "include_eos"]
seed = 4
search_flag = True
extern_data = {"data": {"dim": 7, "sparse": True}, "classes": {"dim": 6, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [4, 2, 3]}}
param_scale = 3.0
network = {
    "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data"},
    "enc_fw": {"class": "rec", "unit": "nativelstm2", "direction": 1, "n_out": 4, "from": "embed"},
    "enc_bw": {"class": "rec", "unit": "nativelstm2", "direction": -1, "n_out": 4, "from": "embed"},
    "enc": {"class": "copy", "from": ["enc_fw", "enc_bw"]},
    "enc_ctx": {"class": "linear", "activation": None, "with_bias": False, "n_out": 5, "from": "enc"},
    "output": {"class": "rec", "from": [], "target": "classes", "max_seq_len": "max_len_from('base:enc') * 3", "include_eos": True, "unit": {
        "output": {"class": "choice", "target": "classes", "beam_size": 4, "from": "prob", "initial_output": 0},
        "end": {"class": "compare", "kind": "equal", "value": 2, "from": "output"},
        "trg_embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "output", "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 5, "from": ["prev:trg_embed", "prev:att"]},
        "s_ctx": {"class": "linear", "activation": None, "with_bias": False, "n_out": 5, "from": "s"},
        "energy_in": {"class": "combine", "kind": "add", "n_out": 5, "from": ["base:enc_ctx", "s_ctx"]},
        "energy_tanh": {"class": "activation", "activation": "tanh", "from": "energy_in"},
        "energy": {"class": "linear", "activation": None, "with_bias": False, "n_out": 1, "from": "energy_tanh"},
        "att_weights": {"class": "softmax_over_spatial", "from": "energy"},
        "att0": {"class": "generic_attention", "weights": "att_weights", "base": "base:enc"},
        "att": {"class": "merge_dims", "axes": "except_batch", "from": "att0"},
        "readout": {"class": "linear", "activation": "tanh", "n_out": 5, "from": ["s", "prev:trg_embed", "att"], "is_output_layer": True},
        "prob": {"class": "softmax", "target": "classes", "loss": "ce", "loss_only_on_non_search": True, "from": "readout"},
    }},
    "decision": {"class": "decide", "from": "output", "target": "classes", "loss": "edit_distance", "only_on_search": True},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
    "readout": {"class": "copy", "from": "output/readout", "is_output_layer": True},
}

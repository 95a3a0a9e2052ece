# The attention decoder of most public configs.
extern_data = {"data": {"dim": 6}, "bpe": {"dim": 7, "sparse": True}}
target = "bpe"
EncKeyTotalDim = 8; AttNumHeads = 2; EncValueTotalDim = 10; EncValuePerHeadDim = 5
network = {
    "lstm0_fw": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "direction": 1, "from": "data"},
    "lstm0_bw": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "direction": -1, "from": "data"},
    "lstm0_pool": {"class": "pool", "mode": "max", "padding": "same", "pool_size": (2,), "from": ["lstm0_fw", "lstm0_bw"], "trainable": False},
    "encoder": {"class": "copy", "from": "lstm0_pool"},
    "enc_ctx": {"class": "linear", "activation": None, "with_bias": True, "from": ["encoder"], "n_out": EncKeyTotalDim},
    "inv_fertility": {"class": "linear", "activation": "sigmoid", "with_bias": False, "from": ["encoder"], "n_out": AttNumHeads},
    "enc_value": {"class": "split_dims", "axis": "F", "dims": (AttNumHeads, EncValuePerHeadDim), "from": ["encoder"]},
    "output": {"class": "rec", "from": [], "unit": {
        "output": {"class": "choice", "target": target, "beam_size": 12, "cheating": False, "from": ["output_prob"], "initial_output": 0},
        "end": {"class": "compare", "from": ["output"], "value": 0},
        "target_embed": {"class": "linear", "activation": None, "with_bias": False, "from": ["output"], "n_out": 6, "initial_output": 0},
        "weight_feedback": {"class": "linear", "activation": None, "with_bias": False, "from": ["prev:accum_att_weights"], "n_out": EncKeyTotalDim},
        "s_transformed": {"class": "linear", "activation": None, "with_bias": False, "from": ["s"], "n_out": EncKeyTotalDim},
        "energy_in": {"class": "combine", "kind": "add", "from": ["base:enc_ctx", "weight_feedback", "s_transformed"], "n_out": EncKeyTotalDim},
        "energy_tanh": {"class": "activation", "activation": "tanh", "from": ["energy_in"]},
        "energy": {"class": "linear", "activation": None, "with_bias": False, "from": ["energy_tanh"], "n_out": AttNumHeads},
        "att_weights": {"class": "softmax_over_spatial", "from": ["energy"]},
        "accum_att_weights": {"class": "eval", "from": ["prev:accum_att_weights", "att_weights", "base:inv_fertility"],
            "eval": "source(0) + source(1) * source(2) * 0.5", "out_type": {"dim": AttNumHeads, "shape": (None, AttNumHeads)}},
        "att0": {"class": "generic_attention", "weights": "att_weights", "base": "base:enc_value"},
        "att": {"class": "merge_dims", "axes": "except_batch", "from": ["att0"]},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "from": ["prev:target_embed", "prev:att"], "n_out": 6},
        "readout_in": {"class": "linear", "from": ["s", "prev:target_embed", "att"], "activation": None, "n_out": 8},
        "readout": {"class": "reduce_out", "mode": "max", "num_pieces": 2, "from": ["readout_in"]},
        "output_prob": {"class": "softmax", "from": ["readout"], "dropout": 0.0, "target": target, "loss": "ce", "loss_opts": {"label_smoothing": 0.1}},
    }, "target": target, "max_seq_len": "max_len_from('base:encoder')"},
    "decision": {"class": "decide", "from": ["output"], "loss": "edit_distance", "target": target, "loss_opts": {}},
}
batch = {"seq_lens": {"data": [9, 7, 4], "bpe": [4, 3, 2]}}
updater = {"optimizer": {"class": "adam"}}
seed = 107

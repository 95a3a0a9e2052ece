extern_data = {"data": {"dim": 5}, "bpe": {"dim": 4, "sparse": True}, "bpe_ctc": {"dim": 5, "sparse": True}}
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 6, "from": "data", "direction": 1, "L2": 0.001},
    "ctc": {"class": "softmax", "from": "enc", "n_out": 5, "loss": "ctc", "target": "bpe", "loss_opts": {"beam_width": 1, "use_native": True}, "loss_scale": 0.5},
    "output": {"class": "rec", "from": [], "target": "bpe", "max_seq_len": 10, "unit": {
        "c": {"class": "dot_attention", "from": "s", "base": "base:enc", "base_ctx": "base:enc", "n_out": 6} if False else {"class": "copy", "from": "s"},
        "emb": {"class": "linear", "activation": None, "with_bias": False, "from": "prev:output", "n_out": 4, "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 6, "from": ["emb", "prev:c"]},
        "prob": {"class": "softmax", "from": ["c"], "target": "bpe", "loss": "ce", "loss_opts": {"focal_loss_factor": 1.0, "label_smoothing": 0.1}},
        "output": {"class": "choice", "target": "bpe", "beam_size": 3, "from": "prob", "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0},
    }},
}
del extern_data["bpe_ctc"]
batch = {"seq_lens": {"data": [9, 8, 6], "bpe": [3, 2, 2]}}
updater = {"optimizer": {"class": "adam"}}
seed = 122

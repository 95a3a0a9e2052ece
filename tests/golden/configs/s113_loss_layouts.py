# Losses on time-major outputs, on outputs whose feature axis is not the last, on more axes, and on lists of targets.
feature_tags = ["ce", "mse", "time_major", "multiple_targets"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "y": {"dim": 5}, "other": {"dim": 3, "sparse": True}}
network = {
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 8, "from": "data"},
    "ce_tm": {"class": "softmax", "loss": "ce", "from": "lstm", "target": "classes"},
    "mse_tm": {"class": "linear", "activation": None, "loss": "mse", "from": "lstm", "target": "y"},
    "bin_tm": {"class": "linear", "activation": None, "n_out": 5, "loss": "bin_ce", "from": "lstm", "target": "y"},
    "gen_tm": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "generic_ce", "from": "lstm", "target": "classes"},
    "ctc_tm": {"class": "softmax", "loss": "ctc", "from": "lstm", "target": "other", "loss_opts": {"beam_width": 1}},
    "dc_tm": {"class": "linear", "activation": "tanh", "n_out": 5, "loss": "l1", "from": "lstm", "target": "y"},
    "output": {"class": "copy", "from": "ce_tm"},
}
batch = {"seq_lens": {"data": [9, 7, 6], "classes": [9, 7, 6], "y": [9, 7, 6], "other": [3, 2, 2]}, "values": {"y": {"dist": "uniform"}}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 213

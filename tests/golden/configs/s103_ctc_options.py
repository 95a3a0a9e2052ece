feature_tags = ["ctc", "ctc_opts", "use_viterbi", "auto_clip_target_len", "output_in_log_space", "target_collapse_repeated"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "plain": {"class": "softmax", "loss": "ctc", "from": "a", "target": "classes", "loss_opts": {"use_normalized_loss": True}},
    "clip": {"class": "softmax", "loss": "ctc", "from": "a", "target": "classes", "loss_opts": {"auto_clip_target_len": True, "beam_width": 1}},
    "collapse": {"class": "softmax", "loss": "ctc", "from": "a", "target": "classes", "loss_opts": {"target_collapse_repeated": True}},
    "log": {"class": "linear", "activation": "log_softmax", "n_out": 5, "loss": "ctc", "from": "a", "target": "classes",
            "loss_opts": {"output_in_log_space": True, "ctc_opts": {"preprocess_collapse_repeated": True}}},
    "bare": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "ctc", "from": "a", "target": "classes",
             "loss_opts": {"ctc_opts": {"ctc_merge_repeated": False}}, "loss_scale": 0.3},
    "native": {"class": "softmax", "loss": "ctc", "from": "a", "target": "classes", "loss_opts": {"use_native": True, "beam_width": 1}},
    "native_opts": {"class": "softmax", "loss": "ctc", "from": "a", "target": "classes",
                    "loss_opts": {"use_native": True, "beam_width": 1, "ctc_opts": {"label_loop": False, "blank_index": 0}}},
    "viterbi": {"class": "softmax", "loss": "ctc", "from": "a", "target": "classes", "loss_opts": {"use_viterbi": True, "beam_width": 1}},
    "output": {"class": "copy", "from": "plain"},
}
batch = {"seq_lens": {"data": [12, 9, 8], "classes": [5, 4, 2]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 203

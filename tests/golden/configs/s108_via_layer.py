# Loss value and gradient come from other layers: fast_bw (of CTC), and layers that take its output_loss over; the layer ctc_loss.
feature_tags = ["via_layer", "fast_bw", "copy_output_loss_from_source_idx", "ctc_loss"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}, "align": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "soft": {"class": "softmax", "n_out": 5, "from": "a"},
    "soft_loss": {"class": "copy", "from": "soft", "loss": "via_layer", "loss_opts": {"align_layer": "bw", "loss_wrt_to_act_in": "softmax"}},
    "bw": {"class": "fast_bw", "align_target": "ctc", "align_target_key": "classes", "input_type": "prob", "from": "soft"},
    "logs": {"class": "linear", "activation": "log_softmax", "n_out": 5, "from": "a"},
    "bw2": {"class": "fast_bw", "align_target": "ctc", "align_target_key": "classes", "ctc_opts": {"label_loop": False}, "am_scale": 0.7, "from": "logs"},
    "signal": {"class": "eval", "eval": "source(0) * -0.5", "from": "bw2", "copy_output_loss_from_source_idx": 0},
    "sig": {"class": "linear", "activation": "sigmoid", "n_out": 5, "from": "a", "target": "align", "loss": "via_layer",
            "loss_opts": {"error_signal_layer": "signal", "loss_wrt_to_act_in": True}, "loss_scale": 0.3},
    "plain": {"class": "linear", "activation": None, "n_out": 5, "from": "a", "loss": "via_layer", "loss_opts": {"error_signal_layer": "signal2", "use_normalized_loss": True}},
    "signal2": {"class": "linear", "activation": None, "n_out": 5, "from": "bw2", "copy_output_loss_from_source_idx": 0},
    "ctc": {"class": "ctc_loss", "logits": "logits", "targets": "data:classes", "blank_index": 4},
    "logits": {"class": "linear", "activation": None, "n_out": 5, "from": "a"},
    "ctc_as_is": {"class": "copy", "from": "ctc", "loss": "as_is", "loss_scale": 0.5},
    "output": {"class": "softmax", "n_out": 5, "from": "a", "loss": "ce", "target": "align"},
}
batch = {"seq_lens": {"data": [9, 8, 7], "classes": [3, 3, 2], "align": [9, 8, 7]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 208

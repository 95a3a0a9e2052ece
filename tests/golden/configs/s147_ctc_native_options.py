# Options of the native CTC: logits_normalize, grad_wrt_softmax_in, zero_infinity with a sequence that has no path, label_loop, blank_index.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}}
network = {"a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"}}
for _i, _opts in enumerate([{"logits_normalize": False}, {"grad_wrt_softmax_in": False}, {"zero_infinity": True}, {"label_loop": False, "grad_wrt_softmax_in": True},
                            {"zero_infinity": True, "blank_index": 0}]):
    network["n%i" % _i] = {"class": "softmax", "loss": "ctc", "from": "a", "target": "classes", "loss_opts": {"use_native": True, "beam_width": 1, "ctc_opts": _opts}}
network["output"] = {"class": "copy", "from": "n2"}
batch = {"seq_lens": {"data": [12, 9, 7], "classes": [5, 4, 3]}, "values": {"classes": [[0, 1, 2, 3, 1], [2, 3, 1, 0, 0], [1, 0, 2, 0, 0]]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 147

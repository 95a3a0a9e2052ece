# Cross entropy: every option, on softmax, log_softmax, sigmoid and bare outputs, sparse and dense targets.
feature_tags = ["ce", "loss_opts", "input_type", "use_fused", "safe_log_opts", "label_smoothing_gaussian", "fake_upper_bound"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "soft": {"dim": 5}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "upper": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes", "loss_opts": {"fake_upper_bound": 1.5}},
    "logits": {"class": "linear", "activation": None, "n_out": 5, "loss": "ce", "from": "a", "target": "classes",
               "loss_opts": {"input_type": "logits", "focal_loss_factor": 1.5}},
    "logits_dense": {"class": "linear", "activation": None, "n_out": 5, "loss": "ce", "from": "a", "target": "soft",
                     "loss_opts": {"input_type": "logits"}},
    "unfused": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "ce", "from": "a", "target": "classes",
                "loss_opts": {"use_fused": False, "focal_loss_factor": 1.0}},
    "unfused_dense": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "ce", "from": "a", "target": "soft",
                      "loss_opts": {"use_fused": False, "fake_upper_bound": 0.1}},
    "eps": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "ce", "from": "a", "target": "classes",
            "loss_opts": {"safe_log_opts": {"eps": 0.4}}},
    "eps_true_grad": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "ce", "from": "a", "target": "classes",
                      "loss_opts": {"safe_log_opts": {"eps": 0.4, "use_fake_grad": False}}},
    "log_softmax": {"class": "linear", "activation": "log_softmax", "n_out": 5, "loss": "ce", "from": "a", "target": "classes",
                    "loss_opts": {"label_smoothing": 0.2}},
    "gauss": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes",
              "loss_opts": {"label_smoothing": 0.3, "label_smoothing_gaussian": True}},
    "smooth_bare": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "ce", "from": "a", "target": "classes", "loss_opts": {"label_smoothing": 0.1}},
    "gauss_bare": {"class": "linear", "activation": "sigmoid", "n_out": 5, "loss": "ce", "from": "a", "target": "classes",
                   "loss_opts": {"label_smoothing": 0.4, "label_smoothing_gaussian": True}},
    "dense_upper": {"class": "softmax", "loss": "ce", "from": "a", "target": "soft", "loss_opts": {"fake_upper_bound": 1.6}},
    "output": {"class": "copy", "from": "upper"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2], "soft": [6, 5, 2]}, "values": {"soft": {"dist": "softmax"}}}
updater = {"optimizer": {"class": "momentum", "momentum": 0.9}, "learning_rate": 0.01}
seed = 200

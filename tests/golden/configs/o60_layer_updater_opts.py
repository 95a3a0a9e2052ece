# Every key of a layer's updater_opts.
feature_tags = ["updater_opts", "gradient_clip_global_norm_tag", "gradient_nan_inf_filter"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data", "updater_opts": {"optimizer": {"class": "momentum", "momentum": 0.8}}},
    "b": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "a", "L2": 0.1,
          "updater_opts": {"gradient_clip_global_norm": 0.3, "gradient_clip_global_norm_tag": "some", "tags": ["some"]}},
    "c": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "b", "updater_opts": {"gradient_clip_avg_norm": 0.02, "gradient_nan_inf_filter": True}},
    "d": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "c", "updater_opts": {"grad_norm_to_clip_to_zero": 0.1, "optimizer": {"class": "gradientdescent"}}},
    "e": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "d", "updater_opts": {"optimizer": {"class": "rmsprop", "decay": 0.5, "learning_rate_multiplier": 2.0}}},
    "output": {"class": "softmax", "from": "e", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 1, 3], "classes": [6, 1, 3]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01, "gradient_clip": 0.8}
train_steps = 4
seed = 262

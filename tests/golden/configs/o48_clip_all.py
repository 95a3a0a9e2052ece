feature_tags = ["optimizer", "clip_all"]
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data", "L2": 0.01},
    "output": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}

updater = {"optimizer": {"class": "adam", "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-4}, "gradient_clip": 0.5, "gradient_clip_norm": 0.8, "gradient_clip_avg_norm": 0.1, "gradient_clip_global_norm": 0.7, "gradient_nan_inf_filter": True, "learning_rate": 0.05}
train_steps = 3
seed = 248

feature_tags = ["optimizer", "nan_filter_real"]
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data", "L2": 0.01},
    # log of what may be 0 or less: the gradient of some weights is not finite
    "bad": {"class": "eval", "eval": "tf.sqrt(tf.nn.relu(source(0)))", "from": "a2", "loss": "as_is", "loss_scale": 0.1},
    "a2": {"class": "linear", "activation": None, "n_out": 3, "from": "data"},
    "output": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}

updater = {"optimizer": {"class": "adam"}, "gradient_nan_inf_filter": True, "learning_rate": 0.05}
train_steps = 3
seed = 259

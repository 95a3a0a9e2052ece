feature_tags = ["as_is", "as_error", "custom_norm_factor", "custom_inv_norm_factor"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "sq": {"class": "eval", "from": "a", "eval": "tf.square(source(0))", "loss": "as_is"},
    "err": {"class": "eval", "from": "a", "eval": "tf.abs(source(0))", "loss": "as_is", "loss_opts": {"as_error": True}},
    "int": {"class": "eval", "from": "data:classes", "eval": "source(0) * 2", "out_type": {"dim": 10, "sparse": True}, "loss": "as_is", "loss_opts": {"as_error": True}},
    "mean": {"class": "reduce", "mode": "mean", "axes": ["T", "F"], "from": "a", "loss": "as_is", "loss_scale": 3.0},
    "normed": {"class": "eval", "from": "a", "eval": "source(0) ** 2", "loss": "as_is", "loss_opts": {"use_normalized_loss": True}},
    "output": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 209

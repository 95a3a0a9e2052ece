# What divides the sums: numbers, functions, layers; in the report and (use_normalized_loss) in the objective.
feature_tags = ["custom_norm_factor", "custom_inv_norm_factor", "use_normalized_loss", "loss_scale"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "weights": {"dim": 1, "shape": (None, 1)}}


def per_sequence(output, **kwargs):
    import tensorflow as tf

    return 1.0 / tf.cast(tf.shape(output.get_sequence_lengths())[0], tf.float32)


def constant(**kwargs):
    return 0.125


network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "length": {"class": "length", "from": "data", "dtype": "float32"},
    "number": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes", "loss_opts": {"custom_norm_factor": 0.25, "use_normalized_loss": True}},
    "number_report": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes", "loss_opts": {"custom_norm_factor": 0.5}},
    "function": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes", "loss_opts": {"custom_norm_factor": constant, "use_normalized_loss": True}},
    "traced": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes", "loss_opts": {"custom_norm_factor": per_sequence, "use_normalized_loss": True}},
    "layer": {"class": "linear", "activation": None, "n_out": 5, "loss": "mse", "from": "a", "target": "classes",
              "loss_opts": {"custom_inv_norm_factor": "length", "use_normalized_loss": True}, "loss_scale": 4.0},
    "layer2": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes", "loss_opts": {"custom_inv_norm_factor": "weight"}},
    "weight": {"class": "activation", "activation": "relu", "from": "data:weights"},
    "output": {"class": "copy", "from": "number"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2], "weights": [6, 5, 2]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 212

# The sampled forms are random; their expectation is checked elsewhere. Here the full softmax.
feature_tags = ["sampling_loss", "use_full_softmax", "use_transposed_weights"]
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "output": {"class": "softmax", "loss": "sampling_loss", "from": "a", "target": "classes", "use_transposed_weights": True,
               "loss_opts": {"num_sampled": 3, "use_full_softmax": True, "nce_loss": False}},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 210

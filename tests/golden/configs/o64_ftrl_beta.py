# ftrl with beta.
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "output": {"class": "softmax", "from": "a", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"optimizer": {"class": "ftrl", "beta": 0.3, "l2_regularization_strength": 0.01}, "learning_rate": 0.05}
seed = 64

feature_tags = ["optimizer", "proximal_adagrad"]
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data", "L2": 0.01},
    "output": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}

updater = {"optimizer": {"class": "ProximalAdagradOptimizer", "l1_regularization_strength": 0.05, "l2_regularization_strength": 0.3, "initial_accumulator_value": 0.2}, "learning_rate": 0.02}
train_steps = 3
seed = 241

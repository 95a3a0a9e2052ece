feature_tags = ["optimizer", "dyn_lr_momentum"]
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data", "L2": 0.01},
    "output": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2]}}

updater = {"optimizer": {"class": "momentum", "momentum": 0.9, "use_nesterov": True}, "dynamic_learning_rate": {"interval": 2, "decay": 0.25}, "learning_rate": 0.05}
train_steps = 3
seed = 244

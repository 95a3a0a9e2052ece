# What optimisers do with the rows of a table that no frame of a step touched. Which rows those are changes with "clock", which moves in each step. The
# large clip makes RETURNN read all parameters before it updates one.
feature_tags = ["optimizer", "linear_sparse", "updater_opts"]
extern_data = {"data": {"dim": 6, "sparse": True}, "classes": {"dim": 3, "sparse": True}}
network = {
    "clock": {"class": "variable", "shape": (), "init": 0.0},
    "drive": {"class": "eval", "from": ["sum", "clock"], "eval": "0.3 * source(1) + 0.0 * source(0)", "loss": "as_is"},
    "moving": {"class": "eval", "from": ["data", "clock"], "eval": "tf.math.floormod(source(0) + tf.cast(tf.floor(source(1) * 9.3), 'int32'), 6)",
               "out_type": {"dim": 6, "sparse": True, "dtype": "int32"}},
    "sum": {"class": "combine", "kind": "add", "from": []},
    "output": {"class": "activation", "activation": "softmax", "loss": "ce", "target": "classes", "from": "sum"},
}
_optimizers = {
    "adadelta": {"class": "adadelta", "epsilon": 0.01, "learning_rate_multiplier": 20.0},
    "adagrad": {"class": "adagrad"},
    "adam": {"class": "adam"},
    "adamax": {"class": "adamax"},
    "ftrl": {"class": "ftrl"},
    "momentum": {"class": "momentum", "momentum": 0.8},
    "nadam": {"class": "nadam"},
    "nadamkeras": {"class": "nadamkeras"},
    "nesterov": {"class": "momentum", "momentum": 0.8, "use_nesterov": True},
    "proxada": {"class": "proximaladagrad", "l1_regularization_strength": 0.1},
    "proxgd": {"class": "proximalgradientdescent", "l1_regularization_strength": 0.1},
    "rmsprop": {"class": "rmsprop", "momentum": 0.5},
    "rmspropc": {"class": "rmsprop", "centered": True},
    "sgd": {"class": "sgd", "momentum": 0.8},
}
for _name, _optimizer in _optimizers.items():
    network[_name] = {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "moving", "updater_opts": {"optimizer": _optimizer}}
    network["sum"]["from"].append(_name)
# Dense before the optimiser sees it: all rows of these go on.
network["sums"] = {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "moving",
                   "updater_opts": {"optimizer": {"class": "momentum", "momentum": 0.7}, "gradient_clip_avg_norm": 0.05}}
network["sum"]["from"].append("sums")
batch = {"seq_lens": {"data": [3, 2], "classes": [3, 2]}, "values": {"data": [[1, 2, 1], [2, 1, 0]]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.05, "gradient_clip_global_norm": 1000.0}
train_steps = 5
seed = 250

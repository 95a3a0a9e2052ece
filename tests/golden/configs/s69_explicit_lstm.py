extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "lstm": {"class": "rec", "from": ["data"], "unit": {
        "input": {"class": "copy", "from": ["prev:output", "data:source"]},
        "i": {"class": "linear", "from": ["input"], "n_out": 5, "activation": "sigmoid"},
        "f": {"class": "linear", "from": ["input"], "n_out": 5, "activation": "sigmoid", "bias_init": 1.0},
        "o": {"class": "linear", "from": ["input"], "n_out": 5, "activation": "sigmoid"},
        "cin": {"class": "linear", "from": ["input"], "n_out": 5, "activation": "tanh"},
        "c": {"class": "eval", "from": ["i", "cin", "f", "prev:c"], "eval": "source(0) * source(1) + source(2) * source(3)", "initial_output": 0},
        "output": {"class": "eval", "from": ["o", "c"], "eval": "source(0) * tf.tanh(source(1))", "initial_output": 0},
    }},
    "output": {"class": "softmax", "from": "lstm", "loss": "ce"},
}
batch = {"seq_lens": {"data": [6, 4, 1], "classes": [6, 4, 1]}}
updater = {"optimizer": {"class": "sgd"}, "learning_rate": 0.1}
seed = 111

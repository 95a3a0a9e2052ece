extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "output": {"class": "rec", "from": "enc", "target": "classes", "unit": {
        "sub": {"class": "subnetwork", "from": ["data:source", "prev:sub"], "subnetwork": {
            "h": {"class": "linear", "activation": "relu", "n_out": 6},
            "output": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "h"}}},
        "acc": {"class": "combine", "kind": "add", "from": ["prev:acc", "sub"], "initial_output": "zeros"},
        "step": {"class": "eval", "from": ":i", "eval": "tf.cast(source(0), tf.float32) * 0.1", "out_type": {"dtype": "float32"}},
        "x": {"class": "combine", "kind": "mul", "from": ["acc", "step"]},
        "output": {"class": "softmax", "from": ["x", "sub"], "loss": "ce", "target": "classes"},
    }},
}
batch = {"seq_lens": {"data": [5, 4, 2], "classes": [5, 4, 2]}}
updater = {"optimizer": {"class": "adam"}}
seed = 123

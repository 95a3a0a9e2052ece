extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
network = {
    "enc": {"class": "subnetwork", "from": "data", "unit": None, "subnetwork": {
        "h": {"class": "linear", "activation": "tanh", "n_out": 5, "L2": 0.01},
        "aux": {"class": "softmax", "from": "h", "target": "classes", "loss": "ce", "loss_scale": 0.3},
        "inner": {"class": "subnetwork", "from": "h", "subnetwork": {"output": {"class": "linear", "activation": "relu", "n_out": 4}}},
        "output": {"class": "combine", "kind": "mul", "from": ["inner", "g"]},
        "g": {"class": "linear", "activation": "sigmoid", "n_out": 4, "from": "base:gate"},
    }} ,
    "gate": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
    "peek": {"class": "copy", "from": "enc/h"},
    "output": {"class": "softmax", "from": ["enc", "peek"], "loss": "ce"},
}
del network["enc"]["unit"]
batch = {"seq_lens": {"data": [6, 4, 1], "classes": [6, 4, 1]}}
updater = {"optimizer": {"class": "adam"}}
seed = 112

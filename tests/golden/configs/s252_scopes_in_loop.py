# Parameters of layers in a loop with an absolute name_scope: RETURNN trains those that lie below the loop's scope, or that a layer outside has, too.
feature_tags = ["name_scope", "rec_subnet"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "loop": {"class": "rec", "from": "data", "unit": {
        "h": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:output"], "name_scope": "/absolute"},
        "relative": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["h", "prev:output"], "name_scope": "relative"},
        "empty": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["relative", "prev:output"], "name_scope": ""},
        "inside": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["empty", "prev:output"], "name_scope": "/loop/rec/inside"},
        "moved_out": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data:source", "name_scope": "/moved"},
        "shared": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "inside", "name_scope": "/outside"},
        "output": {"class": "combine", "kind": "add", "from": ["shared", "moved_out"]},
    }},
    "outside": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "loop"},
    "sub": {"class": "subnetwork", "from": "outside", "subnetwork": {
        "output": {"class": "linear", "activation": "tanh", "n_out": 3, "name_scope": "/of_subnetwork"}}},
    "output": {"class": "softmax", "from": "sub", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [4, 1, 3], "classes": [4, 1, 3]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.1}
seed = 252

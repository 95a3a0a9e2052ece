# initial_output in every form; need_last and is_output_layer in a loop; encapsulate False and True.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
_sub = {"x": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"}, "output": {"class": "copy", "from": "x"}}
network = {
    "init": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "none": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:none"], "initial_output": None},
        "zeros": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["none", "prev:zeros"], "initial_output": "zeros"},
        "ones": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["zeros", "prev:ones"], "initial_output": "ones"},
        "number": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["ones", "prev:number"], "initial_output": -0.5},
        "var": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["number", "prev:var"], "initial_output": "var"},
        "layer": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["var", "prev:layer"], "initial_output": "base:init"},
        "apply": {"class": "linear", "activation": "sigmoid", "n_out": 4, "from": ["data:source", "layer"], "initial_output": "apply(0)"},
        "after": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["prev:apply", "prev:after"]},
        "sub": {"class": "subnetwork", "subnetwork": _sub, "from": "after", "encapsulate": False},
        "closed": {"class": "subnetwork", "subnetwork": _sub, "from": "after", "encapsulate": True},
        "index": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "sub", "initial_output": 3},
        "emb": {"class": "linear", "activation": None, "n_out": 4, "from": "prev:index"},
        "stay": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data:source", "collocate_with": ["after"], "is_output_layer": True, "need_last": True},
        "output": {"class": "softmax", "from": ["after", "emb", "closed", "stay"], "loss": "ce", "target": "classes"}}},
}
batch = {"seq_lens": {"data": [5, 4, 2], "classes": [5, 4, 2]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.05}
seed = 143

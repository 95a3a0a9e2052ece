# Every form of dropout_noise_shape and dropout_axis. dropout_on_forward off: evaluation is without dropout, gradients of it are recorded.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {"in": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"}}
for _i, _opts in enumerate([
    {"dropout_noise_shape": None}, {"dropout_noise_shape": {"*": None}}, {"dropout_noise_shape": {"*": None, "T": 1}},
    {"dropout_noise_shape": {"batch": None, "time": 1, "feature": None}}, {"dropout_noise_shape": {"except_batch": 1, "B": None}},
    {"dropout_noise_shape": {"spatial:0": None}}, {"dropout_noise_shape": [1, None, None]}, {"dropout_noise_shape": (None, None, 1)},
    {"dropout_axis": "F"}, {"dropout_axis": ["B", "T"]},
]):
    network["d%i" % _i] = dict({"class": "linear", "activation": "tanh", "n_out": 6, "from": "in", "dropout": 0.25}, **_opts)
network["loop"] = {"class": "rec", "from": "in", "unit": {
    "x": {"class": "linear", "activation": "tanh", "n_out": 6, "from": ["data:source", "prev:x"], "dropout": 0.2},
    "y": {"class": "linear", "activation": "tanh", "n_out": 6, "from": ["x", "prev:y"], "dropout": 0.2, "dropout_noise_shape": {"*": None}},
    "output": {"class": "copy", "from": "y"}}}
network["output"] = {"class": "softmax", "loss": "ce", "from": ["d%i" % _i for _i in range(10)] + ["loop"], "target": "classes"}
batch = {"seq_lens": {"data": [6, 5, 3], "classes": [6, 5, 3]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 135

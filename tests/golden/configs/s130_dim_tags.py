# in_dim, out_dim, out_shape; target as a list, as "layer:" and as a layer; out_type as dict with shape and as function.
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
_time = SpatialDim("time")
_in = FeatureDim("in", 6)
_hidden = FeatureDim("hidden", 7)
_out = FeatureDim("out", 4)
extern_data = {"data": {"dim_tags": [batch_dim, _time, _in]}, "classes": {"dim": 5, "sparse": True, "dim_tags": [batch_dim, _time]}}
network = {
    "a": {"class": "linear", "activation": "tanh", "from": "data", "in_dim": _in, "out_dim": _hidden, "out_shape": {batch_dim, _time, _hidden}},
    "b": {"class": "linear", "activation": "relu", "from": "a", "out_dim": _out, "out_shape": {batch_dim, _time, _out}},
    "c": {"class": "reduce", "mode": "mean", "axis": _time, "from": "b", "out_shape": {batch_dim, _out}},
    "d": {"class": "combine", "kind": "add", "from": ["b", "c"], "out_shape": {batch_dim, _time, _out}},
    "dropped": {"class": "linear", "activation": None, "from": "d", "out_dim": _hidden, "n_out": 7},
    "both": {"class": "combine", "kind": "mul", "from": ["a", "dropped"]},
    "output": {"class": "softmax", "from": "both", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 130

# reinterpret_data with set_sparse_dim on data that is sparse already: what follows sees the new number of classes.
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim

_time = SpatialDim("time")
_labels = FeatureDim("labels", 9)

seed = 244
extern_data = {
    "data": {"dim_tags": [batch_dim, _time, FeatureDim("in", 3)]},
    "classes": {"dim": 7, "sparse": True, "dim_tags": [batch_dim, _time]},
}
batch = {"seq_lens": {"data": [5, 3, 1], "classes": [5, 3, 1]}}
network = {
    "more": {"class": "reinterpret_data", "set_sparse_dim": 9, "from": "data:classes"},
    "a": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "more"},
    "tagged": {"class": "reinterpret_data", "set_sparse_dim": _labels, "from": "data:classes"},
    "b": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "tagged"},
    "c": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data:classes"},
    "probs": {"class": "softmax", "n_out": 9, "from": ["a", "b", "c"], "loss": "ce", "target": "layer:more"},
    "output": {"class": "eval", "eval": "source(0) + source(1)", "from": ["a", "b"], "loss": "as_is"},
}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.1}

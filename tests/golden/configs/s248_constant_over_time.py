# A constant over the batch and the time axis of the data, by their dim tags.
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim

_time = SpatialDim("time")
_small = FeatureDim("small", 3)

seed = 248
extern_data = {"data": {"dim_tags": [batch_dim, _time, FeatureDim("in", 2)]}}
batch = {"seq_lens": {"data": [4, 2, 1]}}
network = {
    "ones": {"class": "constant", "value": 1.5, "shape": (batch_dim, _time, _small), "is_output_layer": True},
    "lin": {"class": "linear", "activation": "tanh", "out_dim": _small, "from": "data"},
    "output": {"class": "combine", "kind": "mul", "from": ["lin", "ones"], "loss": "as_is"},
    "steps": {"class": "constant", "value": 0.5, "shape": (_time,), "is_output_layer": True},
}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.1}

# reuse_params: layer_output with shape, here a weight made by another layer with its axes the other way round.
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
_time = SpatialDim("time")
_in = FeatureDim("in", 6)
_out = FeatureDim("out", 5)
extern_data = {"data": {"dim_tags": [batch_dim, _time, _in]}, "classes": {"dim": 5, "sparse": True, "dim_tags": [batch_dim, _time]}}
network = {
    "weight": {"class": "variable", "shape": (_out, _in), "init": "glorot_uniform"},
    "made": {"class": "eval", "eval": "tf.tanh(source(0)) * 2.0", "from": "weight"},
    "lin": {"class": "linear", "activation": "tanh", "with_bias": False, "in_dim": _in, "out_dim": _out, "from": "data",
            "reuse_params": {"map": {"W": {"layer_output": "made", "shape": (_in, _out)}}}},
    "output": {"class": "softmax", "from": "lin", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 149

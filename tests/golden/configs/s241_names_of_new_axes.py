# Dim tags that layers give to the axes they make, found again by later layers.
from returnn.tf.util.data import FeatureDim, SpatialDim, batch_dim
feature_tags = ["axes", "conv", "pool", "split_dims", "window", "pad", "slice", "repeat", "resize", "top_k", "stack", "reinterpret_data"]
_time = SpatialDim("time")
_in = FeatureDim("in", 5)
_f = FeatureDim("f", 6)
_conv, _pool, _up, _pad, _cut, _rep, _pre, _post, _res, _win, _again = [SpatialDim(n) for n in ("conv", "pool", "up", "pad", "cut", "rep", "pre", "post", "res", "win", "again")]
_two, _three, _w, _best, _four = SpatialDim("two", 2), FeatureDim("three", 3), SpatialDim("w", 3), SpatialDim("best", 2), FeatureDim("four", 4)
_stack = SpatialDim("stack", 2)
_all = SpatialDim("all")
extern_data = {"data": {"dim_tags": [batch_dim, _time, _in]}}
network = {
    "x": {"class": "linear", "activation": "tanh", "from": "data", "out_dim": _f},
    "conv": {"class": "conv", "filter_size": (3,), "padding": "valid", "n_out": 3, "in_spatial_dims": [_time], "out_spatial_dims": [_conv], "from": "x"},
    "conv_sum": {"class": "reduce", "mode": "sum", "axis": _conv, "from": "conv"},
    "pool": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "in_spatial_dims": [_time], "out_spatial_dims": [_pool], "from": "x"},
    "pool_mean": {"class": "reduce", "mode": "mean", "axis": _pool, "from": "pool"},
    "split": {"class": "split_dims", "axis": _f, "dims": [_two, _three], "from": "x"},
    "split_sum": {"class": "reduce", "mode": "max", "axis": _two, "from": "split", "is_output_layer": True},
    "window": {"class": "window", "window_size": 3, "window_dim": _w, "stride": 2, "out_spatial_dim": _win, "axis": _time, "from": "x"},
    "window_mean": {"class": "reduce", "mode": "mean", "axis": [_w, _win], "from": "window"},
    "pad": {"class": "pad", "axes": [_time], "padding": [(2, 1)], "out_dims": [_pad], "value": 0.3, "from": "x"},
    "pad_sum": {"class": "reduce", "mode": "sum", "axis": _pad, "from": "pad"},
    "cut": {"class": "slice", "axis": _time, "slice_start": 1, "out_dim": _cut, "from": "x"},
    "cut_sum": {"class": "reduce", "mode": "sum", "axis": _cut, "from": "cut"},
    "cut_f": {"class": "slice", "axis": _f, "slice_start": 2, "out_dim": _four, "from": "x"},
    "cut_f_sum": {"class": "reduce", "mode": "sum", "axis": _four, "from": "cut_f", "is_output_layer": True},
    "rep": {"class": "repeat", "repetitions": 2, "axis": _time, "out_dim": _rep, "from": "x"},
    "rep_sum": {"class": "reduce", "mode": "sum", "axis": _rep, "from": "rep", "is_output_layer": True},
    "pre": {"class": "prefix_in_time", "prefix": 0.5, "repeat": 2, "out_dim": _pre, "from": "x"},
    "pre_sum": {"class": "reduce", "mode": "sum", "axis": _pre, "from": "pre", "is_output_layer": True},
    "post": {"class": "postfix_in_time", "postfix": 0.5, "out_dim": _post, "from": "x"},
    "post_sum": {"class": "reduce", "mode": "sum", "axis": _post, "from": "post", "is_output_layer": True},
    "res": {"class": "resize", "factor": 2, "axis": _time, "kind": "linear", "out_dim": _res, "from": "x"},
    "res_sum": {"class": "reduce", "mode": "mean", "axis": _res, "from": "res", "is_output_layer": True},
    "best": {"class": "top_k", "axis": _f, "k": 2, "k_dim": _best, "from": "x"},
    "best_sum": {"class": "reduce", "mode": "sum", "axis": _best, "from": "best"},
    "stack": {"class": "stack", "from": ["x", "x"], "out_spatial_dim": _stack},
    "stack_sum": {"class": "reduce", "mode": "sum", "axis": _stack, "from": "stack", "is_output_layer": True},
    "joined": {"class": "concat", "from": [("x", _time), ("cut", _cut)], "out_dim": _all},
    "joined_sum": {"class": "reduce", "mode": "sum", "axis": _all, "from": "joined", "is_output_layer": True},
    "again": {"class": "reinterpret_data", "set_dim_tags": {_time: _again}, "from": "x"},
    "energy": {"class": "dot", "from": ["x", "again"], "reduce": _f, "var1": _time, "var2": _again},
    "weights": {"class": "softmax_over_spatial", "axis": _again, "from": "energy"},
    "att": {"class": "dot", "from": ["weights", "again"], "reduce": _again},
    "sum": {"class": "combine", "kind": "add", "from": ["att", "pool_mean", "window_mean", "pad_sum", "cut_sum"]},
    "loss_conv": {"class": "eval", "from": "conv_sum", "eval": "tf.sin(source(0))", "loss": "as_is"},
    "loss_best": {"class": "eval", "from": "best_sum", "eval": "tf.sin(source(0))", "loss": "as_is"},
    "output": {"class": "eval", "from": "sum", "eval": "tf.sin(source(0))", "loss": "as_is"},
}
behavior_version = 6
batch = {"seq_lens": {"data": [6, 4, 3]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 241

# scaled_grad: every option with the axes in other words, layers as scale and shift with and without sums, the stop with a shift of 0.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {"output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"}}
for _n, _o in {
    "one": {"scale": 1.0}, "int0": {"scale": 0}, "zero_layer": {"scale": "zero"}, "shift0": {"scale": 0.0, "shift": 0.0},
    "sum_layer": {"scale": "sc", "shift": "sh", "scale_shift_by_sum_over_axis": "feature"}, "sum_batch": {"scale": -1.0, "shift": 0.2, "scale_shift_by_sum_over_axis": "B"},
    "clip_b": {"scale": 3.0, "clip_max_axis": "batch"}, "clip_layer": {"scale": "sc", "shift": 0.5, "clip_max_axis": "time"},
    "both": {"scale": 1.5, "shift": "sh", "scale_shift_by_sum_over_axis": "time", "clip_max_axis": "feature"},
}.items():
    network["l_" + _n] = {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"}
    network["g_" + _n] = dict({"class": "scaled_grad", "from": "l_" + _n}, **_o)
    network["o_" + _n] = {"class": "softmax", "loss": "ce", "from": "g_" + _n, "target": "classes"}
network["sc"] = {"class": "linear", "activation": "sigmoid", "n_out": 6, "from": "data"}
network["zero"] = {"class": "constant", "value": 0.0, "with_batch_dim": True}
network["sh"] = {"class": "reduce", "mode": "mean", "axis": "T", "from": "sc"}
batch = {"seq_lens": {"data": [4, 4], "classes": [4, 4]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.05}
seed = 141

extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True, "shape": ()}}
network = {
    "l": {"class": "linear", "activation": "relu", "n_out": 4, "from": "data"},
    "mean": {"class": "reduce", "mode": "mean", "axes": "T", "from": "l"},
    "sum": {"class": "reduce", "mode": "sum", "axes": "spatial", "from": "l"},
    "max": {"class": "reduce", "mode": "max", "axes": "T", "from": "l"},
    "min": {"class": "reduce", "mode": "min", "axes": "T", "from": "l", "use_time_mask": True},
    "fmean": {"class": "reduce", "mode": "mean", "axes": "F", "keep_dims": True, "from": "mean"},
    "lse": {"class": "reduce", "mode": "logsumexp", "axes": "T", "from": "l"},
    "all": {"class": "copy", "from": ["mean", "sum", "max", "min", "fmean", "lse"]},
    "output": {"class": "softmax", "from": "all", "loss": "ce"},
}
batch = {"seq_lens": {"data": [6, 4, 3]}}
seed = 120

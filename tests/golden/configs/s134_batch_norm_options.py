# Every option of batch_norm, as option of a layer and as class.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {"in": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"}}
_outputs = []
for _name, _opts in {
    "momentum": {"momentum": 0.3}, "epsilon": {"epsilon": 0.1}, "no_shift": {"use_shift": False}, "no_std": {"use_std": False},
    "sample": {"use_sample": 0.25}, "force": {"use_sample": 0.5, "force_sample": True}, "only_train": {"update_sample_only_in_training": True},
    "delay": {"delay_sample_update": True}, "delay_train": {"delay_sample_update": True, "update_sample_only_in_training": True},
    "version1": {"param_version": 1}, "version2": {"param_version": 2, "masked_time": True}, "init": {"gamma_init": 0.5, "beta_init": 0.25},
    "unmasked": {"masked_time": False},
}.items():
    network["l_" + _name] = {"class": "linear", "activation": "tanh", "n_out": 6, "from": "in", "batch_norm": _opts}
    network["c_" + _name] = dict({"class": "batch_norm", "from": "in"}, **_opts)
    _outputs += ["l_" + _name, "c_" + _name]
network["output"] = {"class": "softmax", "loss": "ce", "from": _outputs, "target": "classes"}
batch = {"seq_lens": {"data": [6, 5, 3], "classes": [6, 5, 3]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 134

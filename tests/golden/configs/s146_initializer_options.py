# Each initialiser option in each form: number, name, name with _initializer, dict, expression.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}}
network = {"output": {"class": "softmax", "from": [], "loss": "ce", "target": "classes", "bias_init": {"class": "Constant", "value": -0.5}}}
_forms = [0.25, "random_normal", "truncated_normal_initializer", {"class": "RandomUniform", "minval": -0.5, "maxval": 0.5}, "variance_scaling_initializer(scale=0.5, mode='fan_out')"]
for _i, _init in enumerate(_forms):
    network["rec%i" % _i] = {"class": "rec", "unit": "nativelstm2", "n_out": 8, "from": "data", "forward_weights_init": _init,
                             "recurrent_weights_init": (_forms[1:] + _forms[:1])[_i], "bias_init": (_forms[2:] + _forms[:2])[_i] if _i != 2 else "random_uniform_initializer(-0.1, 0.1)"}
    network["one%i" % _i] = {"class": "rec", "unit": "nativelstm2", "n_out": 8, "from": "data", "direction": -1, "recurrent_weights_init": _init}
    network["lin%i" % _i] = {"class": "linear", "activation": "tanh", "n_out": 16, "from": "data", "forward_weights_init": _init,
                             "bias_init": [0.5, "ones_initializer", "random_normal_initializer(stddev=0.1)", {"class": "RandomNormal", "stddev": 0.2}, "zeros"][_i]}
    network["conv%i" % _i] = {"class": "conv", "n_out": 16, "filter_size": (3,), "padding": "same", "activation": "tanh", "with_bias": True, "from": "data",
                              "forward_weights_init": _init, "bias_init": [0.5, "ones_initializer", "zeros", {"class": "RandomNormal", "stddev": 0.2}, "random_normal"][_i]}
    network["var%i" % _i] = {"class": "variable", "shape": (16,), "init": [0.5, "ones_initializer", "random_normal", {"class": "RandomNormal", "stddev": 0.2}, "random_uniform_initializer(-0.5, 0.5)"][_i]}
    network["sum%i" % _i] = {"class": "combine", "kind": "add", "from": ["lin%i" % _i, "conv%i" % _i]}
    network["scaled%i" % _i] = {"class": "combine", "kind": "mul", "from": ["sum%i" % _i, "var%i" % _i]}
    network["output"]["from"] += ["rec%i" % _i, "one%i" % _i, "scaled%i" % _i]
behavior_version = 3
batch = {"seq_lens": {"data": [6, 5, 3], "classes": [6, 5, 3]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 146

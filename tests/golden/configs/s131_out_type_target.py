# out_type as dict with dim, shape, dtype and as function; target as list, as "layer:NAME" and as the name of a layer.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "aux": {"dim": 4}}


def _same_as_source(sources, name, **kwargs):
    return sources[0].output.copy_template(name="%s_output" % name)


network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "b": {"class": "linear", "activation": "tanh", "out_type": {"dim": 7, "shape": (None, 7)}, "from": "a"},
    "e": {"class": "eval", "eval": "source(0) * 2.0", "from": "b", "out_type": _same_as_source},
    "typed": {"class": "eval", "eval": "tf.cast(source(0) * 3.0, 'int32')", "from": "e", "out_type": {"dtype": "int32"}, "is_output_layer": True},
    "list": {"class": "softmax", "from": "e", "loss": "ce", "target": ["classes"]},
    "goal": {"class": "linear", "activation": "sigmoid", "n_out": 4, "from": "data"},
    "by_layer": {"class": "linear", "activation": None, "from": "e", "loss": "mse", "target": "layer:goal"},
    "by_name": {"class": "linear", "activation": None, "n_out": 4, "from": "e", "loss": "mse", "target": "goal"},
    "auto": {"class": "linear", "activation": None, "from": "e", "loss": "mse", "target": "aux"},
    "output": {"class": "softmax", "from": "e", "loss": "ce"},
}
target = "classes"
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2], "aux": [6, 4, 2]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.05}
seed = 131

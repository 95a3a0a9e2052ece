# Options that do not change numbers: control_dependencies_on_output, custom_param_importer, param_device, debug_print_layer_output; state of a cell.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}


def _finite(layer):
    import tensorflow as tf

    return [tf.debugging.assert_all_finite(layer.output.placeholder, "output is not finite")]


network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data", "control_dependencies_on_output": _finite, "custom_param_importer": "subset"},
    "b": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "a", "param_device": "CPU", "debug_print_layer_output": True},
    "loop": {"class": "rec", "from": "b", "unit": {
        "fed": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "prev:h"},
        "h": {"class": "rnn_cell", "unit": "GRU", "n_out": 5, "from": "data:source", "state": "fed"},
        "output": {"class": "copy", "from": "h"}}},
    "output": {"class": "softmax", "from": "loop", "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 1, 3], "classes": [6, 1, 3]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 136

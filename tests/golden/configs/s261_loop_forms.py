# back_prop False, a direction (which a unit of layers does not have), learned initial states in the loop and moved out of it, rec_unstack of the loop's own axis, cumsum "T" of a step.
from returnn.tf.util.data import SpatialDim
feature_tags = ["rec", "back_prop", "direction", "initial_state", "rec_unstack", "cumsum"]
_steps = SpatialDim("steps")
extern_data = {"data": {"dim": 5}, "classes": {"dim": 7, "sparse": True}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "constant": {"class": "rec", "from": "a", "back_prop": False, "unit": {
        "x": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:x"], "L2": 0.1},
        "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "x"}}},
    "back": {"class": "rec", "from": "a", "direction": -1, "unit": {
        "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:output"]}}},
    "states": {"class": "rec", "from": "a", "unit": {
        "out_rec": {"class": "rec", "unit": "lstm", "n_out": 4, "from": "data:source", "initial_state": "var"},
        "out_cell": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": "out_rec", "initial_state": {"c": "var", "h": "ones"}},
        "in_rec": {"class": "rec", "unit": "lstm", "n_out": 4, "from": ["out_cell", "prev:in_cell"], "initial_state": "var"},
        "in_cell": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["in_rec", "prev:in_rec"], "initial_state": "var"},
        "output": {"class": "copy", "from": ["in_cell", "in_rec"]}}},
    "named": {"class": "reinterpret_data", "from": "a", "set_dim_tags": {"T": _steps}},
    "unstack": {"class": "rec", "from": [], "axis": _steps, "unit": {
        "step": {"class": "rec_unstack", "from": "base:named", "axis": _steps},
        "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["step", "prev:output"]}}},
    "sums": {"class": "rec", "from": "a", "optimize_move_layers_out": False, "unit": {
        "sum": {"class": "cumsum", "axis": "T", "from": "data:source"},
        "output": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["sum", "prev:output"]}}},
    "from_constant": {"class": "softmax", "loss": "ce", "target": "classes", "from": "constant"},
    "from_unstack": {"class": "softmax", "loss": "ce", "target": "classes", "from": "unstack"},
    "output": {"class": "softmax", "loss": "ce", "target": "classes", "from": ["back", "states", "sums"]},
}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
train_steps = 3
seed = 261

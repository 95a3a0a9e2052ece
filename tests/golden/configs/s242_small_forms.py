# Forms of small layers: slices with a fixed end and backwards, dot with "reduce" and "auto" by position, gather within the sequence, lengths of any axis, an empty batch_norm, the learned state of one vector.
from returnn.tf.util.data import FeatureDim, batch_dim
feature_tags = ["axes", "slice", "dot", "gather", "length", "constant", "batch_norm", "initial_state"]
_four = FeatureDim("four", 4)
extern_data = {"data": {"dim": 4}}
network = {
    "x": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "y": {"class": "rec", "unit": "gru", "n_out": 4, "from": "data"},
    "head": {"class": "slice", "axis": "T", "slice_start": 1, "slice_end": 3, "from": "x"},
    "back": {"class": "slice", "axis": "T", "slice_step": -1, "from": "x", "is_output_layer": True},
    "back2": {"class": "slice", "axis": "F", "slice_step": -2, "from": "x", "is_output_layer": True},
    "dot": {"class": "dot", "from": ["x", "y"], "red1": "F", "red2": "F", "var1": "auto", "var2": "auto"},
    "gram": {"class": "dot", "from": ["x", "y"], "reduce": "T", "var1": "F", "var2": "F"},
    "second": {"class": "gather", "from": "x", "position": 1, "axis": "T", "clip_to_valid": True},
    "len_f": {"class": "length", "axis": "F", "from": "x", "is_output_layer": True},
    "len_b": {"class": "length", "axis": "B", "from": "x", "is_output_layer": True},
    "len_1": {"class": "length", "from": "x", "add_time_axis": True, "is_output_layer": True},
    "const": {"class": "constant", "value": 1.5, "shape": [batch_dim, _four], "is_output_layer": True},
    "shared": {"class": "linear", "activation": None, "n_out": 2, "from": "x", "batch_norm": {}},
    "gru": {"class": "rec", "unit": "gru", "n_out": 2, "initial_state": "var", "from": "data"},
    "sum": {"class": "combine", "kind": "add", "from": ["shared", "gru"]},
    "loss_head": {"class": "eval", "from": "head", "eval": "source(0) ** 2", "loss": "as_is"},
    "loss_dot": {"class": "eval", "from": "dot", "eval": "source(0) ** 2", "loss": "as_is"},
    "loss_gram": {"class": "eval", "from": "gram", "eval": "tf.sin(source(0))", "loss": "as_is"},
    "loss_second": {"class": "eval", "from": "second", "eval": "tf.sin(source(0))", "loss": "as_is"},
    "output": {"class": "eval", "from": "sum", "eval": "tf.sin(source(0))", "loss": "as_is"},
}
batch = {"seq_lens": {"data": [6, 4, 1]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 242

# The time axis in two parts of which the second is what is left: frames t and t + ceil(T / 2) of the batch.
seed = 247
extern_data = {"data": {"dim": 2}}
batch = {"seq_lens": {"data": [5, 4, 1]}}
network = {
    "lin": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
    "halves": {"class": "split_dims", "axis": "T", "dims": (2, -1), "from": "lin", "is_output_layer": True},
    "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "halves", "is_output_layer": True},
    "loss": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "lin", "loss": "as_is"},
}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.1}

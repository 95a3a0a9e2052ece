# Frames that layers repeat, each as often as another layer says; up-sampling by cubic interpolation.
extern_data = {"data": {"dim": 3}, "durations": {"shape": (None,), "dtype": "int32"}}
network = {
    "x": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "rep": {"class": "repeat", "repetitions": "data:durations", "axis": "T", "from": "x"},
    "abs": {"class": "activation", "activation": "abs", "from": "data"},
    "sum": {"class": "reduce", "mode": "sum", "axes": "F", "from": "abs"},
    "counts": {"class": "cast", "dtype": "int32", "from": "sum"},
    "rep_counts": {"class": "repeat", "repetitions": "counts", "axis": "T", "from": "x"},
    "two": {"class": "constant", "value": 2},
    "rep_two": {"class": "repeat", "repetitions": "two", "axis": "T", "from": "x"},
    "rnn": {"class": "rec", "unit": "lstm", "n_out": 3, "from": "rep"},
    "out_counts": {"class": "linear", "activation": "sigmoid", "n_out": 2, "from": "rep_counts", "loss": "as_is"},
    "out_two": {"class": "linear", "activation": "sigmoid", "n_out": 2, "from": "rep_two", "loss": "as_is"},
    "cubic": {"class": "resize", "factor": 3, "axis": "T", "kind": "cubic", "from": "x"},
    "cubic_f": {"class": "resize", "factor": 2, "axis": "F", "kind": "cubic", "from": "x"},
    "out_cubic": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "cubic", "loss": "as_is"},
    "out_cubic_f": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "cubic_f", "loss": "as_is"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "rnn", "loss": "as_is"},
}
batch = {"seq_lens": {"data": [5, 3, 4], "durations": [5, 3, 4]},
         "values": {"durations": [[2, 0, 1, 3, 1], [4, 0, 2, 0, 0], [0, 1, 1, 2, 0]]}}
seed = 267

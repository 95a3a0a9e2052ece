# slice_nd whose size is a layer, what is left, or at least min_size.
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True},
               "start": {"dim": None, "shape": (), "dtype": "int32", "sparse": False},
               "size": {"dim": None, "shape": (), "dtype": "int32", "sparse": False}}
network = {
    "src": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "rest": {"class": "slice_nd", "from": "src", "start": "data:start", "size": None},
    "least": {"class": "slice_nd", "from": "src", "start": "data:start", "size": None, "min_size": 4,
              "is_output_layer": True},
    "sized": {"class": "slice_nd", "from": "src", "start": "data:start", "size": "data:size"},
    "first": {"class": "slice_nd", "from": "data:classes", "start": 1, "size": 2, "is_output_layer": True},
    "p1": {"class": "reduce", "mode": "mean", "axis": "T", "from": "rest"},
    "p2": {"class": "reduce", "mode": "max", "axis": "T", "from": "sized"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 2, "from": ["p1", "p2"], "loss": "as_is"},
    "rec": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "rest", "direction": -1},
    "last": {"class": "reduce", "mode": "sum", "axis": "T", "from": "rec", "loss": "as_is"},
}
batch = {"seq_lens": {"data": [7, 5, 4], "classes": [7, 5, 4]}, "values": {"start": [1, 0, 3], "size": [2, 4, 1]}}

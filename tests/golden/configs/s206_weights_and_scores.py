# elemwise_prod, weighted_sum, sparse_softmax_cross_entropy_with_logits, dct, get_rec_accumulated.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}}
network = {
    "split": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": "data"},
    "prod": {"class": "elemwise_prod", "axes": "static", "from": "split"},
    "sum": {"class": "weighted_sum", "axes": "static:0", "from": "prod"},
    "dct": {"class": "dct", "from": "data"},
    "dct3": {"class": "dct", "type": 3, "norm": "ortho", "from": "dct"},
    "loop": {"class": "rec", "from": ["dct3", "dct"], "unit": {
        "x": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["data:source", "prev:x"], "is_output_layer": True},
        "output": {"class": "linear", "activation": None, "n_out": 3, "from": "x"}}},
    "acc": {"class": "get_rec_accumulated", "sub_layer": "x", "from": "loop", "is_output_layer": True},
    "lin": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "dct3"},
    "best": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "lin"},
    "ce": {"class": "sparse_softmax_cross_entropy_with_logits", "logits": "lin", "targets": "best", "loss": "as_is"},
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "loop"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "sum", "loss": "as_is"},
    "m": {"class": "copy", "from": "mean", "loss": "as_is", "loss_scale": 0.3},
}

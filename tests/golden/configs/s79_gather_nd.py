extern_data = {"data": {"dim": 4}, "pos": {"dim": 3, "sparse": True}, "classes": {"dim": 3, "sparse": True}}
network = {
    "l": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"},
    "g": {"class": "gather_nd", "from": "l", "position": "data:pos"},
    "m": {"class": "seq_len_mask", "from": "l", "axis": "T", "mask_value": -1.0},
    "mm": {"class": "reduce", "mode": "max", "axis": "T", "from": "m"},
    "x": {"class": "combine", "kind": "add", "from": ["g", "mm"]},
    "p": {"class": "linear", "activation": None, "n_out": 3, "from": "x", "is_output_layer": True},
    "am": {"class": "softmax", "from": "l", "n_out": 3},
    "output": {"class": "softmax", "from": "l", "loss": "ce"},
    "pen": {"class": "eval", "eval": "tf.square(source(0))", "from": "p", "loss": "as_is"},
}
batch = {"seq_lens": {"data": [6, 4, 3], "pos": [6, 4, 3], "classes": [6, 4, 3]}}
seed = 121

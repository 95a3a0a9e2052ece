# size_target: the length of a loop without a time axis in its input.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}, "seq": {"dim": 3, "sparse": True}}
network = {
    "mean": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "loop": {"class": "rec", "from": [], "size_target": "seq", "unit": {
        "h": {"class": "linear", "activation": "tanh", "n_out": 6, "from": ["base:mean", "prev:h"]},
        "output": {"class": "softmax", "n_out": 3, "from": "h"}}},
    "copied": {"class": "copy", "from": "data", "size_target": "classes", "is_output_layer": True},
    "output": {"class": "linear", "activation": "softmax", "from": "loop", "loss": "ce", "target": "seq"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2], "seq": [3, 5, 2]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 132

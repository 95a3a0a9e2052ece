# Attention over a window of the encoder: behind a frame that a layer says, and around the place that the step before looked at.
import tensorflow as tf

extern_data = {"data": {"dim": 5}, "labels": {"dim": 6, "sparse": True}}
target = "labels"


def centre(source, **kwargs):
    return tf.cast(tf.argmax(source(0, auto_convert=False), axis=-1), tf.int32)


network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "keys": {"class": "linear", "activation": None, "n_out": 3, "from": "enc"},
    "begin": {"class": "eval", "from": "data:labels", "eval": "tf.minimum(source(0, auto_convert=False)[:, 0], 2)",
              "out_type": {"shape": (), "time_dim_axis": None, "dtype": "int32", "sparse": False, "dim": None}},
    "output": {"class": "rec", "from": [], "target": target, "unit": {
        "output": {"class": "choice", "target": target, "beam_size": 3, "from": "output_prob", "initial_output": 0},
        "embed": {"class": "linear", "activation": None, "n_out": 4, "from": "output", "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["prev:embed", "prev:att"]},
        "query": {"class": "linear", "activation": None, "n_out": 3, "from": "s"},
        "energy_in": {"class": "combine", "kind": "add", "from": ["base:keys", "query"], "n_out": 3},
        "energy_tanh": {"class": "activation", "activation": "tanh", "from": "energy_in"},
        "energy": {"class": "linear", "activation": None, "with_bias": False, "n_out": 1, "from": "energy_tanh"},
        "place0": {"class": "eval", "from": "prev:near", "eval": centre,
                   "out_type": {"shape": (1,), "dim": 1, "dtype": "int32", "time_dim_axis": None}},
        "place": {"class": "squeeze", "axis": "F", "from": "place0"},
        "first": {"class": "eval", "from": "place", "eval": "tf.maximum(source(0) - 1, 0)"},
        "near": {"class": "softmax_over_spatial", "from": "energy", "window_start": "first", "window_size": 3},
        "late": {"class": "softmax_over_spatial", "from": "energy", "start": "base:begin", "energy_factor": 0.5},
        "both": {"class": "combine", "kind": "add", "from": ["near", "late"]},
        "att0": {"class": "generic_attention", "weights": "both", "base": "base:enc"},
        "att": {"class": "merge_dims", "axes": "except_batch", "from": "att0"},
        "output_prob": {"class": "softmax", "from": ["s", "att"], "target": target, "loss": "ce"},
    }},
}
batch = {"seq_lens": {"data": [7, 6, 4], "labels": [4, 3, 2]}}
updater = {"optimizer": {"class": "adam"}}

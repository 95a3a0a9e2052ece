# Training on a given alignment whose number of classes the data do not say: labels are shifted by a function that needs the time axis, so it
# runs before the loop; the encoder's axis is found by the name of the layer that made it; a sequence's speaker is a frame of its own.
import tensorflow as tf

blank = 5
extern_data = {
    "data": {"dim": 6},
    "alignment": {"dim": None, "shape": (None,), "dtype": "int32", "sparse": True},
    "speaker": {"dim": 4, "sparse": True},
}


def with_blanks(source, self, **kwargs):
    data = source(0, as_data=True)
    assert data.is_batch_major
    x = data.placeholder
    frames = tf.range(tf.shape(x)[data.time_dim_axis])
    every_third = tf.equal(tf.math.floormod(frames, 3), 2)
    return tf.where(tf.logical_and(every_third[None, :], tf.greater(x, 1)), tf.fill(tf.shape(x), blank), x)


network = {
    "lstm0": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "lstm0_pool": {"class": "pool", "mode": "max", "padding": "same", "pool_size": (2,), "from": "lstm0"},
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "lstm0_pool"},
    "known": {"class": "reinterpret_data", "from": "data:alignment", "set_sparse": True, "set_sparse_dim": blank + 1, "size_base": "enc",
              "register_as_extern_data": "labels"},
    "who": {"class": "squeeze", "axis": "T", "from": "data:speaker"},
    "voice": {"class": "linear", "activation": None, "n_out": 3, "from": "who"},
    "nearby": {"class": "eval", "from": "voice", "eval": "source(0) * tf.reduce_sum(tf.cast(tf.range(-2, 5), tf.float32))"},
    "weights": {"class": "softmax_over_spatial", "axis": "stag:lstm", "from": "enc"},
    "summary": {"class": "reduce", "mode": "sum", "axes": "stag:pool", "from": "weights"},
    "output": {"class": "rec", "from": "enc", "target": "labels", "unit": {
        "output": {"class": "choice", "target": "labels", "beam_size": 2, "cheating": "exclusive", "input_type": "log_prob", "from": "scores",
                   "initial_output": 0},
        "label": {"class": "eval", "from": "output", "eval": with_blanks, "initial_output": 0},
        "is_label": {"class": "compare", "from": "label", "value": blank, "kind": "not_equal", "initial_output": True},
        "is_new": {"class": "compare", "from": ["label", "prev:label"], "kind": "not_equal"},
        "emit": {"class": "eval", "from": ["is_label", "is_new"], "eval": "tf.logical_and(source(0), source(1))", "initial_output": True},
        "feedback": {"class": "linear", "activation": None, "n_out": 3, "from": "prev:label"},
        "heard": {"class": "switch", "condition": "prev:emit", "true_from": "feedback", "false_from": 0.0},
        "s": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": ["data:source", "heard"]},
        "readout": {"class": "linear", "activation": "tanh", "n_out": 4, "from": ["s", "base:summary", "base:nearby"]},
        "emit_in": {"class": "linear", "activation": None, "n_out": 1, "from": "s"},
        "emit_score": {"class": "activation", "activation": "log_sigmoid", "from": "emit_in"},
        "blank_score": {"class": "eval", "from": "emit_in", "eval": "tf.math.log_sigmoid(-source(0))"},
        "label_score": {"class": "linear", "activation": "log_softmax", "n_out": blank, "from": "readout"},
        "label_emit": {"class": "combine", "kind": "add", "from": ["label_score", "emit_score"]},
        "scores": {"class": "copy", "from": ["label_emit", "blank_score"]},
        "prob": {"class": "activation", "activation": "exp", "from": "scores", "target": "labels", "loss": "ce", "loss_opts": {"focal_loss_factor": 1.0}},
    }},
}
batch = {"seq_lens": {"data": [10, 7, 5], "alignment": [5, 4, 3], "speaker": [1, 1, 1], "labels": [5, 4, 3]},
         "values": {"alignment": {"dist": "int", "low": 0, "high": 5}, "labels": {"dist": "int", "low": 0, "high": 6}}}
updater = {"optimizer": {"class": "adam"}}

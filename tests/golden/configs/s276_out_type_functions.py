# out_type as a function: what Data has to make a template of a source's; source() in the order that out_type says, and as it is (auto_convert).
from returnn.tf.util.data import Data
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "att": {"shape": (None, None, 4), "dim": 4}}
_max_over_inner = "tf.reduce_max(source(0, auto_convert=False), axis=source(0, auto_convert=False, as_data=True).get_spatial_batch_axes()[-1])"
_twice = "tf.concat([source(0, auto_convert=False)] * 2, axis=-1)"
network = {
    "in": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "lstm": {"class": "rec", "unit": "lstm", "n_out": 6, "from": "data"},  # time-major
    "shape": {"class": "eval", "from": "lstm", "eval": "tf.concat([source(0), source(0) * 2], axis=-1)", "out_type": {"dim": 12, "shape": (None, 12)}},
    "doubled": {"class": "eval", "from": "lstm", "eval": _twice, "out_type": lambda sources, **_: sources[0].output.copy_template_replace_dim_tag(
        axis=sources[0].output.feature_dim_axis, new_dim_tag=2 * sources[0].output.feature_dim_or_sparse_dim)},
    "larger": {"class": "eval", "from": "in", "eval": _twice, "out_type": lambda sources, **_: sources[0].output.copy_template_replace_dim(axis=2, new_dim=12)},
    "batch_major": {"class": "eval", "from": "lstm", "eval": "source(0, enforce_batch_major=True) * 3", "out_type": lambda sources, **_: sources[0].output.copy_as_batch_major()},
    "as_data": {"class": "eval", "from": "lstm", "eval": "tf.sin(source(0, as_data=True).copy_as_batch_major().placeholder)",
                "out_type": lambda sources, **_: sources[0].output.copy_as_batch_major()},
    "inner": {"class": "eval", "from": "data:att", "eval": _max_over_inner, "is_output_layer": True,
              "out_type": lambda sources, **_: sources[0].output.copy_template_excluding_spatial_dim(-1)},
    "no_time": {"class": "eval", "from": "lstm", "eval": "tf.reduce_sum(source(0, auto_convert=False), axis=0)", "is_output_layer": True,
                "out_type": lambda sources, **_: sources[0].output.copy_template_excluding_time_dim()},
    "best": {"class": "eval", "from": "lstm", "eval": "tf.argmax(source(0, auto_convert=False), axis=-1, output_type=tf.int32)", "is_output_layer": True,
             "out_type": lambda sources, **_: Data(name="best", dim_tags=sources[0].output.dim_tags[:-1], sparse_dim=sources[0].output.feature_dim_or_sparse_dim, dtype="int32")},
    "lengths": {"class": "eval", "from": "lstm", "eval": "tf.reduce_sum(source(0, auto_convert=False, enforce_batch_major=True), axis=2)", "is_output_layer": True,
                "out_type": lambda sources, **_: Data(name="lengths", shape=(None,), size_placeholder={0: sources[0].output.size_placeholder[0]})},
    "turned": {"class": "eval", "from": "in", "eval": "tf.transpose(source(0, auto_convert=False), [2, 1, 0])", "is_output_layer": True,
               "out_type": lambda sources, **_: sources[0].output.copy_template_new_dim_tags(sources[0].output.dim_tags[::-1])},
    "both": {"class": "eval", "from": ["in", "lstm"], "eval": "source(0)[..., :3] + source(1)[..., :3]", "out_type": {"dim": 3, "shape": (None, 3)}},
    "output": {"class": "softmax", "from": ["shape", "doubled", "larger", "batch_major", "as_data", "both"], "loss": "ce", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 4, 2], "classes": [6, 4, 2], "att": {0: [3, 2, 4], 1: [2, 3, 1]}}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.05}
seed = 276

# A search whose scores are combined by a function of the config: labels that were just chosen cost extra.
import tensorflow as tf


def combine(layer, batch_dim, scores_in, scores_base, end_flags, t, **kwargs):
    penalty = tf.where(tf.expand_dims(end_flags, 2), tf.zeros_like(scores_in[:, :, :1]), tf.ones_like(scores_in[:, :, :1]))
    return 0.8 * scores_in + scores_base - 0.3 * penalty * tf.cast(t + 1, tf.float32) * [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]


feature_tags = ["search", "choice", "custom_score_combine"]
seed = 287
search_flag = True
extern_data = {"data": {"dim": 5}, "classes": {"dim": 6, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [4, 2, 3]}}
param_scale = 3.0
network = {
    "enc": {"class": "rec", "unit": "nativelstm2", "n_out": 4, "from": "data"},
    "output": {"class": "rec", "from": "enc", "unit": {
        "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "prev:output"},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["embed", "data:source"]},
        "prob": {"class": "softmax", "target": "classes", "from": ["s", "data:source"]},
        "output": {"class": "choice", "target": "classes", "beam_size": 4, "from": "prob", "initial_output": 0,
                   "custom_score_combine": combine}}},
    "decision": {"class": "decide", "from": "output", "is_output_layer": True},
    "scores": {"class": "choice_get_beam_scores", "from": "output", "is_output_layer": True},
}

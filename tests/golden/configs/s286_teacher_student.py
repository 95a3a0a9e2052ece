# A student learns the labels that the search of a teacher finds within the same training step.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}


def decoder(name, target):
    return {"class": "rec", "from": [], "target": target, "max_seq_len": "max_len_from('base:%s_enc')" % name, "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 6, "from": ["prev:emb", "prev:att"]},
        "e_in": {"class": "combine", "kind": "add", "from": ["base:%s_enc" % name, "s"]},
        "e": {"class": "linear", "activation": None, "n_out": 1, "with_bias": False, "from": "e_in"},
        "w": {"class": "softmax_over_spatial", "from": "e"},
        "att": {"class": "generic_attention", "base": "base:%s_enc" % name, "weights": "w"},
        "prob": {"class": "softmax", "from": ["s", "att"], "target": target, "loss": "ce",
                 "loss_only_on_non_search": True},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": target, "initial_output": 0},
        "emb": {"class": "linear", "activation": None, "n_out": 4, "with_bias": False, "from": "output",
                "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0}}}


network = {
    "teacher_enc": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "teacher": decoder("teacher", "classes"),
    "teacher_best": {"class": "decide", "from": "extra.search:teacher", "register_as_extern_data": "best_labels"},
    "student_enc": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "output": decoder("student", "best_labels"),
}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [5, 4, 2]}}
param_scale = 2.0
seed = 286

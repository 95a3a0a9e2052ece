# A teacher's search gives all its hypotheses; a student is trained on each of them.
feature_tags = ["search", "extra.search", "target with beam"]
seed = 262
behavior_version = 12
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [5, 4, 2]}}
param_scale = 2.0


def decoder(name, target, **options):
    return {"class": "rec", "from": [], "target": target, "max_seq_len": "max_len_from('base:enc_" + name + "')", "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["prev:emb", "prev:att"]},
        "s_" + name: {"class": "linear", "activation": "tanh", "n_out": 5, "from": "s"},
        "e_in": {"class": "combine", "kind": "add", "from": ["base:enc_" + name, "s_" + name], "n_out": 5},
        "e": {"class": "linear", "activation": None, "n_out": 1, "with_bias": False, "from": "e_in"},
        "w": {"class": "softmax_over_spatial", "from": "e"},
        "att0": {"class": "generic_attention", "base": "base:enc_" + name, "weights": "w"},
        "att": {"class": "copy", "from": "att0"},
        "prob": {"class": "softmax", "from": ["s", "att"], "target": target, **options},
        "output": {"class": "choice", "beam_size": 3, "from": "prob", "target": target, "initial_output": 0},
        "emb": {"class": "linear", "activation": None, "n_out": 3, "with_bias": False, "from": "output", "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0}}}


network = {
    "enc_t": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data:data", "trainable": False},
    "teacher": {"trainable": False, **decoder("t", "classes")},
    "hypotheses": {"class": "copy", "from": "extra.search:teacher", "register_as_extern_data": "taught"},
    "enc_s": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data:data"},
    "student": decoder("s", "taught", loss="ce"),
    "output": {"class": "copy", "from": "student"},
}

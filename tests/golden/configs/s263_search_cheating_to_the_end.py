# Loops that end by themselves in which choices need their target: they run as long as the target at most.
feature_tags = ["search", "choice", "cheating", "add_to_beam_scores", "end"]
seed = 263
search_flag = True
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [5, 4, 2]}}
param_scale = 3.0


def loop(**options):
    return {"class": "rec", "from": [], "target": "classes", "max_seq_len": 9, "is_output_layer": True, "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 5, "from": ["prev:emb", "prev:att"]},
        "e": {"class": "dot_attention", "from": "s", "base": "base:enc", "base_ctx": "base:enc"},
        "att": {"class": "copy", "from": "e"},
        "prob": {"class": "softmax", "from": ["s", "att"], "target": "classes"},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0, **options},
        "emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "output", "initial_output": 0},
        "end": {"class": "compare", "from": "output", "value": 0}}}


network = {
    "enc": {"class": "linear", "activation": "tanh", "n_out": 5, "from": "data"},
    "cheat": loop(cheating=True, length_normalization=False), "once": loop(cheating="exclusive"),
    "cheat_scores": {"class": "choice_get_beam_scores", "from": "cheat", "is_output_layer": True},
    "once_scores": {"class": "choice_get_beam_scores", "from": "once", "is_output_layer": True},
    "output": {"class": "decide", "from": "cheat", "target": "classes", "loss": "edit_distance"},
}

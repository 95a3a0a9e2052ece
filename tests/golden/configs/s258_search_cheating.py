# The target stays among the hypotheses: alone, only once, in a chain of two choices where only the second keeps it.
feature_tags = ["search", "choice", "cheating"]
seed = 258
search_flag = True
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [6, 4, 3]}}
param_scale = 3.0


def unit(**options):
    return {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["data:source", "prev:emb"]},
        "prob": {"class": "softmax", "from": "s", "target": "classes"},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob", "initial_output": 0, **options},
        "emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "output", "initial_output": 0},
    }


def two_choices(**options):
    return {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["data:source", "prev:emb"]},
        "prob": {"class": "softmax", "from": "s", "n_out": 4},
        "before": {"class": "choice", "target": None, "beam_size": 3, "from": "prob", "initial_output": 0, "length_normalization": False},
        "s2": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "before"},
        "prob2": {"class": "softmax", "from": ["s", "s2"], "target": "classes"},
        "output": {"class": "choice", "target": "classes", "beam_size": 3, "from": "prob2", "initial_output": 0, "length_normalization": False,
                   **options},
        "emb": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "output", "initial_output": 0},
    }


units = {
    "kept": unit(keep_beams=True), "plain": unit(cheating=True), "once": unit(cheating="exclusive"),
    "chain": two_choices(cheating=True), "chain_once": two_choices(cheating="exclusive"),
}
network = {}
for name, layers in units.items():
    network[name] = {"class": "rec", "from": "data", "target": "classes", "unit": layers, "is_output_layer": True}
    network[name + "_scores"] = {"class": "choice_get_beam_scores", "from": name, "is_output_layer": True}
network["output"] = {"class": "decide", "from": "plain", "target": "classes", "loss": "edit_distance"}

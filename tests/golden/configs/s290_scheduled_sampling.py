# Labels that a choice draws from its scores in training; all but certain, so that the numbers are the same in each run.
feature_tags = ["choice", "scheduled_sampling", "train"]
seed = 7
extern_data = {"data": {"dim": 3}, "classes": {"dim": 5, "sparse": True}, "frames": {"dim": 4}}
batch = {"seq_lens": {"data": [6, 4, 3], "classes": [5, 4, 2], "frames": [6, 4, 3]}}


def loop(**options):
    return {"class": "rec", "from": [], "target": "classes", "unit": {
        "embed": {"class": "linear", "activation": None, "with_bias": False, "n_out": 3, "from": "output",
                  "initial_output": 0},
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["base:enc", "prev:embed"]},
        "logits": {"class": "linear", "activation": None, "n_out": 5, "from": "s"},
        "sharp": {"class": "eval", "from": "logits", "eval": "source(0) * 3000."},
        "prob": {"class": "activation", "activation": "log_softmax", "from": "sharp"},
        "soft": {"class": "activation", "activation": "softmax", "from": "logits", "target": "classes", "loss": "ce"},
        "output": dict({"class": "choice", "target": "classes", "beam_size": 1, "from": "prob", "initial_output": 0,
                        "input_type": "log_prob"}, **options)}}


network = {
    "enc": {"class": "reduce", "mode": "mean", "axis": "T", "from": "data"},
    "drawn": loop(scheduled_sampling=True),
    "gold": loop(scheduled_sampling={"gold_mixin_prob": 1.0}),
    "output": {"class": "rec", "from": "data", "target": "frames", "unit": {
        "s": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 4, "from": ["data:source", "prev:output"]},
        "y": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "s", "target": "frames", "loss": "mse"},
        "output": {"class": "choice", "target": "frames", "beam_size": 1, "from": "y", "input_type": "regression",
                   "initial_output": 0, "scheduled_sampling": True}}}}

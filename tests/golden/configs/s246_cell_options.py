# Options of TensorFlow's cells, LSTMs without input projection, with one state, and over a single frame.
seed = 246
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
batch = {"seq_lens": {"data": [5, 3, 1], "classes": [5, 3, 1]}}


def _rec(unit, source="lin", **options):
    return dict({"class": "rec", "unit": unit, "n_out": 2, "from": source}, **options)


_opts = [
    ("standardlstm", {"cell_clip": 0.1}),
    ("standardlstm", {"cell_clip": 0.1, "use_peepholes": True, "activation": "relu"}),
    ("standardlstm", {"activation": "sigmoid", "state_is_tuple": True, "reuse": None}),
    ("basiclstm", {"activation": "relu", "forget_bias": 0.5}),
    ("gru", {"activation": "relu", "reuse": None}),
    ("basicrnn", {"activation": "sigmoid"}),
    ("layernormvariantslstm", {"is_training": True}),
    ("rhn", {"depth": 2, "is_training": False, "dropout": 0.5}),
]
network = {
    "lin": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
    "wide": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "frame": {"class": "reduce", "mode": "mean", "axis": "T", "from": "lin"},
    "bare": _rec("nativelstm2", "wide", input_projection=False),
    "bare_back": _rec("lstm", "wide", input_projection=False, direction=-1),
    "gru_bare": _rec("gru", input_projection=False),
    "low1": _rec("nativelstmlowmem", initial_state=1),
    "lowvar": _rec("nativelstmlowmem", initial_state="var"),
    "one": _rec("lstm", "frame"),
    "one_back": _rec("lstmblock", "frame", direction=-1, initial_state="var"),
    "last": {"class": "get_last_hidden_state", "from": "lowvar", "n_out": 2, "key": "*"},
}
for _i, (_unit, _options) in enumerate(_opts):
    network["opts%i" % _i] = _rec(_unit, unit_opts=_options, direction=[1, -1][_i % 2])
for _name in ["bare", "bare_back", "gru_bare", "low1", "lowvar", "one", "one_back", "last"] + ["opts%i" % _i for _i in range(8)]:
    network[_name]["loss"] = "as_is"
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.1}

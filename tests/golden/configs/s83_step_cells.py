feature_tags = ["rec", "units", "peepholes", "zoneout", "layer_norm_lstm", "rhn"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
_units = {
    "peep": ("standardlstm", {"use_peepholes": True, "forget_bias": 0.5}),
    "zone": ("zoneoutlstm", {"zoneout_factor_cell": 0.15, "zoneout_factor_output": 0.05}),
    "zone_out": ("zoneoutlstm", {"zoneout_factor_cell": 0.2, "zoneout_factor_output": 0.1, "use_zoneout_output": True}),
    "ln": ("layernormvariantslstm", {}),
    "ln_gate": ("layernormvariantslstm", {"global_norm": False, "per_gate_norm": True, "cell_norm_in_output": False, "forget_bias": 1.0}),
    "ln_joined": ("layernormvariantslstm", {"global_norm": False, "global_norm_joined": True, "hidden_norm": True, "forget_bias": 1.0}),
    "ln_concat": ("layernormvariantslstm", {"global_norm": False, "with_concat": True, "cell_norm": False, "forget_bias": 1.0}),
    "rhn": ("rhn", {"depth": 2, "transform_bias": -1.0}),
}
network = {"output": {"class": "softmax", "from": [], "loss": "ce", "target": "classes"}}
for _n, (_u, _o) in _units.items():
    network[_n] = {"class": "rec", "unit": _u, "unit_opts": _o, "n_out": 5, "from": "data", "direction": -1 if _n in ("ln", "peep", "rhn") else 1}
    network[_n + "_last"] = {"class": "get_last_hidden_state", "from": _n, "n_out": 5 if _n == "rhn" else 10, "key": "*" if _n != "rhn" else None}
    network[_n + "_last"]["is_output_layer"] = True
    network["output"]["from"].append(_n)
batch = {"seq_lens": {"data": [6, 1, 3], "classes": [6, 1, 3]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 483

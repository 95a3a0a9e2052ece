feature_tags = ["rec", "units", "rnn_cell"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "output": {"class": "rec", "from": "data", "target": "classes", "unit": {
        "zone": {"class": "rnn_cell", "unit": "zoneoutlstm", "unit_opts": {"zoneout_factor_cell": 0.15, "zoneout_factor_output": 0.05},
                 "n_out": 3, "from": ["data:source", "prev:ln"], "initial_state": "var"},
        "ln": {"class": "rnn_cell", "unit": "LayerNormVariantsLSTM", "unit_opts": {"forget_bias": 1.0}, "n_out": 3, "from": ["zone", "prev:peep"]},
        "peep": {"class": "rnn_cell", "unit": "standardlstm", "unit_opts": {"use_peepholes": True}, "n_out": 3, "from": ["ln", "prev:zone"]},
        "rhn": {"class": "rnn_cell", "unit": "rhn", "unit_opts": {"depth": 2}, "n_out": 3, "from": ["peep"]},
        "rec_zone": {"class": "rec", "unit": "zoneoutlstm", "n_out": 2, "from": ["prev:rhn"],
                     "unit_opts": {"zoneout_factor_cell": 0.1, "zoneout_factor_output": 0.1}},
        "output": {"class": "softmax", "from": ["zone", "ln", "peep", "rhn", "rec_zone"], "loss": "ce", "target": "classes"},
    }}}
batch = {"seq_lens": {"data": [5, 2, 3], "classes": [5, 2, 3]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 484

extern_data = {"data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}}
network = {
    "l0": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "direction": 1, "from": "data"},
    "p": {"class": "pool", "from": "l0", "mode": "max", "padding": "same", "pool_size": (2,)},
    "l1": {"class": "rec", "unit": "nativelstm2", "n_out": 5, "direction": -1, "from": "p"},
    "ctc": {"class": "softmax", "from": "l1", "loss": "ctc", "target": "classes", "loss_opts": {"beam_width": 1, "ctc_opts": {"ignore_longer_outputs_than_inputs": True}}},
    "output": {"class": "reduce", "mode": "mean", "axis": "T", "from": "l1"},
}
batch = {"seq_lens": {"data": [12, 9, 8], "classes": [3, 2, 4]}, "values": {"classes": [[0, 1, 2, 0], [1, 2, 0, 0], [2, 1, 0, 2]]}}
updater = {"optimizer": {"class": "adam"}}
seed = 106

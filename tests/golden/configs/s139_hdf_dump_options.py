# hdf_dump: labels, extra, several dynamic axes, sequences without a feature axis, a callable filename.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "att": {"shape": (None, None, 2), "dim": 2}}


def _name(**kwargs):
    return "called-%s-%i.hdf" % (kwargs["dataset_name"], kwargs["epoch"])


network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
    "sum": {"class": "reduce", "mode": "sum", "axis": "F", "from": "a"},
    "output": {"class": "softmax", "loss": "ce", "from": "a", "target": "classes"},
    "d_func": {"class": "hdf_dump", "filename": _name, "from": "a", "dump_per_run": True, "is_output_layer": True},
    "d_att": {"class": "hdf_dump", "filename": "att.hdf", "from": "data:att", "extra": {"data": "data", "sum": "sum"}, "is_output_layer": True},
    "d_flat": {"class": "hdf_dump", "filename": "flat.hdf", "from": "sum", "is_output_layer": True},
    "d_label": {"class": "hdf_dump", "filename": "label.hdf", "from": "output", "labels": ["v", "w", "x", "yy", "zzz"], "is_output_layer": True},
    "d_whole": {"class": "hdf_dump", "filename": "whole2.hdf", "from": "data:classes", "dump_whole_batches": True, "extra": {"enc": "a"}, "is_output_layer": True},
}
files = ["called-train-1.hdf", "att.hdf", "flat.hdf", "label.hdf", "whole2.hdf"]
batch = {"seq_lens": {"data": [6, 5, 2], "classes": [6, 5, 2], "att": {0: [3, 2, 4], 1: [2, 3, 1]}}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 139

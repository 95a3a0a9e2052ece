# Axes merged with the batch before behaviour 6: the batch is outermost, wherever the input has it; split_batch_time relies on that.
feature_tags = ["merge_dims", "split_batch_time"]
behavior_version = 0
extern_data = {"data": {"dim": 2}, "major": {"dim": 2, "time_dim_axis": 0, "batch_dim_axis": 1}, "classes": {"dim": 5, "sparse": True}}
network = {
    "output": {"class": "softmax", "loss": "ce", "from": "split", "target": "classes"},
    "lstm": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data"},
    "merged": {"class": "merge_dims", "axes": "BT", "from": "lstm"},
    "frames": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "merged"},
    "split": {"class": "split_batch_time", "base": "lstm", "from": "frames"},
    "split_major": {"class": "split_batch_time", "base": "data:major", "from": "major_tb", "is_output_layer": True},
}
for _source in ["data", "major"]:
    for _axes in [["B", "T"], ["T", "B"]]:
        _name = _source + "_" + "".join(_axes).lower()
        network[_name] = {"class": "merge_dims", "axes": _axes, "from": "data" if _source == "data" else "data:major", "is_output_layer": True}
        network[_name + "_linear"] = {"class": "linear", "activation": None, "n_out": 3, "from": _name, "is_output_layer": True}
        network[_name + "_combine"] = {"class": "combine", "kind": "add", "from": [_name, _name], "is_output_layer": True}
batch = {"seq_lens": {"data": [4, 3, 1], "major": [4, 2, 1], "classes": [4, 3, 1]}}
seed = 3

# Batch merged with time in every order, from batch-major and time-major inputs; behaviour 6 and later keep the order of `axes`.
behavior_version = 12
extern_data = {"data": {"dim": 2}, "major": {"dim": 2, "time_dim_axis": 0, "batch_dim_axis": 1}, "classes": {"dim": 5, "sparse": True}}
network = {"output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"}}
for _source in ["data", "major"]:
    for _axes in [["B", "T"], ["T", "B"]]:
        _name = _source + "_" + "".join(_axes).lower()
        network[_name] = {"class": "merge_dims", "axes": _axes, "from": "data" if _source == "data" else "data:major", "is_output_layer": True}
        network[_name + "_linear"] = {"class": "linear", "activation": None, "n_out": 3, "from": _name, "is_output_layer": True}
        network[_name + "_activation"] = {"class": "activation", "activation": "exp", "from": _name, "is_output_layer": True}
        network[_name + "_combine"] = {"class": "combine", "kind": "add", "from": [_name, _name + "_activation"], "is_output_layer": True}
        network[_name + "_reduce"] = {"class": "reduce", "mode": "sum", "axes": "F", "from": _name + "_activation", "is_output_layer": True}
batch = {"seq_lens": {"data": [4, 3, 1], "major": [4, 2, 1], "classes": [4, 3, 1]}}
seed = 3

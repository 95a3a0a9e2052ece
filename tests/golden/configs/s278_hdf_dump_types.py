# hdf_dump of every number type that both programs have, as main data, as extra data, as whole batches; of time-major data, pooled time, axes besides time and feature.
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "output": {"class": "softmax", "from": "data", "loss": "ce", "target": "classes"},
    "turned": {"class": "swap_axes", "axis1": "B", "axis2": "T", "from": "data"},
    "half": {"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "data"},
    "split": {"class": "split_dims", "axis": "F", "dims": (2, 2), "from": "data"},
    "number": {"class": "reduce", "mode": "mean", "axes": ["T", "F"], "from": "data"},
    "best": {"class": "reduce", "mode": "argmax", "axis": "F", "from": "data"},
}
files = []


def _dump(name, source, **options):
    files.append(name + ".hdf")
    network["dump_" + name] = {"class": "hdf_dump", "filename": name + ".hdf", "from": source, "is_output_layer": True, **options}


for _type, _function in {"bool": "source(0) > 0", "int32": "tf.cast(source(0) * 9, tf.int32)", "int64": "tf.cast(source(0) * 9, tf.int64)", "float64": "tf.cast(source(0), tf.float64)"}.items():
    network[_type] = {"class": "eval", "from": "data", "eval": _function, "out_type": {"dtype": _type}}
    _dump("main_" + _type, _type)
    _dump("extra_" + _type, "data", extra={"x": _type})
_dump("whole_bool", "bool", dump_whole_batches=True)
for _source in ["turned", "half", "split", "best"]:
    _dump("main_" + _source, _source)
    _dump("extra_" + _source, "data:classes", extra={"x": _source, "number": "number"})
batch = {"seq_lens": {"data": [5, 3, 1], "classes": [5, 3, 1]}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.05}
seed = 278

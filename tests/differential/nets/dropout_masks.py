"""Along which axes a dropout mask varies, by every option that says so. Masks are random, but this is not: the spread of dropped ones along an axis is 0 or 2."""
config = """
extern_data = {"data": {"dim": 40}}
batch = {"seq_lens": {"data": [30] * 8}, "n_batch": 8}
"""
base = {
    "ones": {"class": "eval", "from": "data", "eval": "tf.ones_like(source(0))"},
    "time_major": {"class": "swap_axes", "axis1": "B", "axis2": "T", "from": "ones"},
}
DICTS = [{"*": None}, {"B": None}, {"T": None}, {"F": None}, {"batch": -1, "time": 1}, {"except_time": -1}, {"spatial": None}, {"B": -1, "except_time": -1, "T": 1},
         {"dyn": None}, {"dynamic:0": None}, {"static": None}, {"s:0": None}, {"*": None, "T": 1}, {"*": None, "B": 1}, {"*": None, "F": 1}, {"*": 1, "F": None}, {"bt": None}]
SEQUENCES = [[None, 1, None], (None, None, None), (1, 1, None), [None, 1, 1], (1, None, 1)]
OF_A_STEP = [None, {"*": None}, {"B": None}, {"F": None}, {"*": None, "B": 1}, (1, None), (None, None), [None, 1]]
AXES = ["T", "F", ["T", "F"], "BT", ("B", "F"), "*", "spatial"]


def spreads(layer):
    """The net with the largest difference along each axis as outputs."""
    net = {"y": layer}
    for axis, others in [("B", ["T", "F"]), ("T", ["B", "F"]), ("F", ["B", "T"])]:
        for mode in ["max", "min"]:
            net[mode + axis] = {"class": "reduce", "mode": mode, "axis": axis, "use_time_mask": False, "from": "y"}
        net["range" + axis] = {"class": "combine", "kind": "sub", "from": ["max" + axis, "min" + axis]}
        net["spread" + axis] = {"class": "reduce", "mode": "max", "axes": others, "use_time_mask": False, "from": "range" + axis, "is_output_layer": True}
    return net


def dropout(source, **options):
    return {"class": "dropout", "dropout": 0.5, "from": source, **options}


def in_loop(**options):
    step = {"class": "eval", "from": "prev:output", "eval": "source(0) * 0. + 1."}
    return {"class": "rec", "from": "ones", "n_out": 40, "unit": {"step": step, "output": dropout("step", initial_output=1.0, n_out=40, **options)}}


nets = [spreads(dropout("ones", dropout_noise_shape=shape)) for shape in [None, *DICTS, *SEQUENCES]]
nets += [spreads(dropout("time_major", dropout_noise_shape=shape, dropout_on_forward=True)) for shape in [None, *DICTS, *SEQUENCES]]
nets += [spreads(dropout("ones", dropout_axis=axis)) for axis in AXES]
nets += [spreads(in_loop(dropout_noise_shape=shape)) for shape in OF_A_STEP]

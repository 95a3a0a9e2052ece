"""Every form of the options about dropout whose masks RETURNN draws as one for all frames, or not at all: what is left to compare are shapes, names and losses."""
config = """
extern_data = {"data": {"dim": 4}, "classes": {"dim": 3, "sparse": True}}
batch = {"seq_lens": {"data": [5, 3, 1], "classes": [5, 3, 1]}}
"""
base = {"lin": {"class": "linear", "activation": "tanh", "n_out": 4, "from": "data"}}
SHAPES = ["None", '{"*": None}', '{"*": 1}', '{"B": None}', '{"T": None}', '{"F": None}', '{"batch": -1, "time": 1}', '{"except_time": -1}', '{"spatial": None}',
          '{"B": -1, "except_time": -1, "T": 1}', '{"dyn": None}', '{"dynamic:0": None}', '{"static": None}', '{"s:0": None}', '{"*": None, "T": 1}', '{"*": "x"}',
          "[None, 1, None]", "(None, None, None)", "(1, 1, None)", "[1, 1, 1]", "[None, 1]"]
LAYERS = ['"class": "linear", "activation": None, "n_out": 3, "from": "lin"', '"class": "dropout", "from": "lin"', '"class": "rec", "unit": "lstm", "n_out": 3, "from": "lin"',
          '"class": "copy", "from": ["lin", "lin"]']
nets = [f'{{{layer}, "dropout": 0.5, "dropout_noise_shape": {shape}}}' for shape in SHAPES for layer in LAYERS]
nets += [f'{{{layer}, "dropout": 0.0, "dropout_on_forward": True}}' for layer in LAYERS]

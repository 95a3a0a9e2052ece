# Activations and kinds of combine that are made of other functions; a sign in an activation parts its text in two.
seed = 245
extern_data = {"data": {"dim": 3}, "classes": {"dim": 4, "sparse": True}}
batch = {"seq_lens": {"data": [5, 3, 1], "classes": [5, 3, 1]}}
_activations = ["sinh", "cosh", "tan", "asinh", "atanh", "gelu2", "digamma", "-tanh", "2 * -tanh", "1 - 2 * sigmoid", "-0.5 * tanh"]
_kinds = ["power", "logaddexp", "subtract", "multiply", "divide", "floormod"]
network = {
    "lin": {"class": "linear", "activation": "tanh", "n_out": 2, "from": "data"},
    "pos": {"class": "linear", "activation": "sigmoid", "n_out": 2, "from": "data"},
    "big": {"class": "eval", "eval": "source(0) * 3. + 1.", "from": "pos"},
    "acosh": {"class": "activation", "activation": "acosh", "from": "big", "loss": "as_is"},
    "digamma_below": {"class": "activation", "activation": "digamma", "from": "below"},
    "below": {"class": "eval", "eval": "source(0) * 0.5 - 1.75", "from": "pos"},
    "below_loss": {"class": "copy", "from": "digamma_below", "loss": "as_is"},
    "a": {"class": "compare", "from": "lin", "value": 0.1, "kind": "greater"},
    "b": {"class": "compare", "from": "pos", "value": 0.5, "kind": "less"},
}
for _i, _name in enumerate(_activations):
    network["act%i" % _i] = {"class": "activation", "activation": _name, "from": "pos", "loss": "as_is"}
for _i, _name in enumerate(["asinh", "sinh", "gelu2", "-relu"]):
    network["below%i" % _i] = {"class": "activation", "activation": _name, "from": "lin", "loss": "as_is"}
for _i, _name in enumerate(_kinds):
    network["kind%i" % _i] = {"class": "combine", "kind": _name, "from": ["pos", "big"], "loss": "as_is"}
for _name in ["logical_xor", "equal", "not_equal"]:
    network[_name] = {"class": "combine", "kind": _name, "from": ["a", "b"], "is_output_layer": True}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}

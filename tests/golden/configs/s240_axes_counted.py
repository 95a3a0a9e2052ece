# Axes as numbers count with the batch axis first, whatever the layout ([T,B,F] of rec); enforce_batch_dim_axis; axes that no loss sees.
feature_tags = ["axes", "reduce", "split_dims", "expand_dims", "squeeze", "transpose"]
extern_data = {"data": {"dim": 5}}
network = {
    "rec": {"class": "rec", "unit": "lstm", "n_out": 6, "from": "data"},
    "sum0": {"class": "reduce", "mode": "sum", "axes": 0, "from": "rec", "is_output_layer": True},
    "mean1": {"class": "reduce", "mode": "mean", "axis": 1, "from": "rec"},
    "max_12": {"class": "reduce", "mode": "max", "axes": [1, 2], "from": "rec", "is_output_layer": True},
    "min_minus2": {"class": "reduce", "mode": "min", "axes": -2, "from": "rec", "is_output_layer": True},
    "enforced": {"class": "reduce", "mode": "logsumexp", "axes": "F", "enforce_batch_dim_axis": 0, "from": "rec", "is_output_layer": True},
    "split": {"class": "split_dims", "axis": 1, "dims": (-1, 3), "from": "rec", "is_output_layer": True},
    "split2": {"class": "split_dims", "axis": 2, "dims": (3, 2), "from": "rec"},
    "one_at_2": {"class": "expand_dims", "axis": 2, "from": "rec", "is_output_layer": True},
    "one_last": {"class": "expand_dims", "axis": 3, "from": "rec", "is_output_layer": True},
    "three": {"class": "expand_dims", "axis": "spatial", "dim": 3, "from": "mean1"},
    "two": {"class": "expand_dims", "axis": "F", "dim": 2, "from": "rec", "is_output_layer": True},
    "order": {"class": "transpose", "perm": ["F", "B", "T"], "from": "rec", "is_output_layer": True},
    "pieces": {"class": "reduce_out", "mode": "avg", "num_pieces": 3, "from": "rec"},
    "loss_a": {"class": "eval", "from": "split2", "eval": "tf.sin(source(0))", "loss": "as_is"},
    "loss_b": {"class": "eval", "from": "three", "eval": "tf.sin(source(0) * 2)", "loss": "as_is"},
    "loss_c": {"class": "eval", "from": "pieces", "eval": "source(0) ** 2", "loss": "as_is"},
    "output": {"class": "eval", "from": ["rec", "mean1"], "eval": "tf.abs(source(0) + source(1))", "loss": "as_is"},
}
batch = {"seq_lens": {"data": [6, 4, 1]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 240

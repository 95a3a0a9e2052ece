"""Losses with their options, on sparse and dense targets, on frames, sequences and more axes."""
config = """
extern_data = {
    "data": {"dim": 6}, "classes": {"dim": 4, "sparse": True}, "dense": {"dim": 4}, "short": {"dim": 4, "sparse": True},
    "label": {"dim": 4, "sparse": True, "shape": ()}, "vector": {"shape": (4,), "dim": 4}}
batch = {
    "seq_lens": {"data": [7, 4, 3], "classes": [7, 4, 3], "dense": [7, 4, 3], "short": [3, 2, 1]},
    "values": {"dense": {"dist": "softmax"}, "vector": {"dist": "softmax"}}}
"""
base = {
    "lin": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "sequence": {"class": "reduce", "mode": "mean", "axis": "T", "from": "lin"},
    "time_major": {"class": "swap_axes", "axis1": "B", "axis2": "T", "from": "lin"},
    "more_axes": {"class": "split_dims", "axis": "F", "dims": (3, 2), "from": "lin"},
}
SOFTMAX = {"class": "softmax"}
LINEAR = {"class": "linear", "activation": None}
SIGMOID = {"class": "linear", "activation": "sigmoid"}
EVERY = [{}, {"use_normalized_loss": True}, {"custom_norm_factor": 0.25, "use_normalized_loss": True}, {"scale": 0.5}, {"scale": 0}, {"use_flatten_frames": False}]
# loss: layer, target of frames, target of sequences, options
LOSSES = {
    "ce": (SOFTMAX, "classes", "label", [{"label_smoothing": 0.1}, {"label_smoothing": 0.1, "label_smoothing_gaussian": True}, {"focal_loss_factor": 2.0},
                                         {"safe_log_opts": {"eps": 1e-3}}, {"use_fused": False}, {"fake_upper_bound": 1.2}]),
    "generic_ce": (SOFTMAX, "classes", "label", []),
    "bin_ce": (SIGMOID, "dense", "vector", [{"pos_weight": 2.0}, {"pos_weight": None}]),
    "mse": (LINEAR, "dense", "vector", []),
    "l1": (LINEAR, "dense", "vector", []),
    "mean_l1": (LINEAR, "dense", "vector", []),
    "as_is": (LINEAR, None, None, [{"as_error": True}]),
    "edit_distance": (SOFTMAX, "short", None, [{"label_map": {0: 1}}]),
}
LAYER_OPTIONS = [{"loss_scale": 0.3}, {"loss_scale": 0}, {"loss_only_on_non_search": True}, {"only_on_eval": True}, {"L2": 0.1}]


def with_loss(loss, source, target, **options):
    layer = LOSSES[loss][0]
    return {**layer, "n_out": 4, "from": source, "loss": loss, **({"target": target} if target else {}), **options}


nets = []
for loss, (_, frames, sequences, own) in LOSSES.items():
    nets += [with_loss(loss, "lin", frames, loss_opts=opts) for opts in EVERY + own]
    nets += [with_loss(loss, "lin", frames, **options) for options in LAYER_OPTIONS]
    nets += [with_loss(loss, source, frames) for source in ["time_major", "more_axes"]]
    nets += [with_loss(loss, "sequence", sequences, loss_opts=opts) for opts in EVERY + own]
CTC = [{}, {"use_native": True}, {"output_in_log_space": False}, {"beam_width": 4}, {"ctc_opts": {"ctc_merge_repeated": False}}, {"focal_loss_factor": 1.0}]
nets += [{"class": "softmax", "from": "lin", "loss": "ctc", "target": "short", "loss_opts": opts} for opts in CTC]

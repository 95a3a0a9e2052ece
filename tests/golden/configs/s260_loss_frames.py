# Losses of rows of merged frames, after size_target, of the sum over a generic_ce softmax; decay of sgd, which has no effect as RETURNN leaves Keras's count of steps at 0.
feature_tags = ["ce", "generic_ce", "merge_dims", "flatten_batch", "size_target", "sgd"]
extern_data = {"data": {"dim": 5}, "classes": {"dim": 7, "sparse": True}, "dense": {"dim": 7}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "flat": {"class": "flatten_batch", "axis": "T", "batch_major": False, "from": "a"},
    "flat_classes": {"class": "flatten_batch", "axis": "T", "batch_major": False, "from": "data:classes"},
    "of_flat": {"class": "softmax", "n_out": 7, "loss": "ce", "target": "layer:flat_classes", "from": "flat"},
    "of_flat_smooth": {"class": "softmax", "n_out": 7, "loss": "ce", "target": "layer:flat_classes", "loss_opts": {"label_smoothing": 0.2}, "from": "flat"},
    "merged": {"class": "merge_dims", "axes": ["B", "T"], "from": "a"},
    "merged_classes": {"class": "merge_dims", "axes": ["B", "T"], "from": "data:classes"},
    "merged_dense": {"class": "merge_dims", "axes": ["B", "T"], "from": "data:dense"},
    "of_merged": {"class": "softmax", "n_out": 7, "loss": "ce", "target": "layer:merged_classes", "from": "merged"},
    "mse_of_merged": {"class": "linear", "activation": None, "n_out": 7, "loss": "mse", "target": "layer:merged_dense", "from": "merged"},
    "sized": {"class": "softmax", "n_out": 7, "loss": "ce", "target": "classes", "size_target": "classes", "from": "a"},
    "sized_logits": {"class": "linear", "activation": None, "n_out": 7, "loss": "ce", "target": "classes", "size_target": "dense", "loss_opts": {"input_type": "logits"}, "from": "a"},
    "generic": {"class": "softmax", "n_out": 7, "loss": "generic_ce", "target": "classes", "from": "a"},
    "generic_scaled": {"class": "softmax", "n_out": 7, "loss": "generic_ce", "target": "classes", "loss_scale": 0.3, "from": "a"},
    "output": {"class": "copy", "from": "sized"},
}
batch = {"seq_lens": {"data": [6, 6, 6], "classes": [6, 6, 6], "dense": [6, 6, 6]}}
updater = {"optimizer": {"class": "sgd", "momentum": 0.5, "decay": 0.1}, "learning_rate": 0.02}
train_steps = 3
seed = 260

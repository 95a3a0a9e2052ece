# image_summary with one, two and the default number of outputs, of non-negative and of signed values.
tf1_image_summary = True
extern_data = {"classes": {"dim": 5, "sparse": True}, "data": {"dim": 6}, "att": {"shape": (None, None, 1), "dim": 1, "batch_dim_axis": 2, "time_dim_axis": 0}}
network = {
    "signed": {"class": "eval", "eval": "source(0) - 0.25", "from": "data:att"},
    "one": {"class": "image_summary", "from": "data:att", "max_outputs": 1, "is_output_layer": True},
    "two": {"class": "image_summary", "from": "signed", "max_outputs": 2, "is_output_layer": True},
    "default": {"class": "image_summary", "from": "signed", "is_output_layer": True},
    "output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"},
}
batch = {"seq_lens": {"data": [6, 5], "classes": [6, 5], "att": {0: [4, 2], 1: [5, 6]}}, "values": {"att": {"dist": "uniform"}}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 142

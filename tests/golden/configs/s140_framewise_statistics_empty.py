# framewise_statistics where no frame is silence and where all are; the default of histogram_num_bins; a source whose target it takes.
extern_data = {"data": {"dim": 6}, "classes": {"dim": 5, "sparse": True}, "silence": {"dim": 5, "sparse": True}}
network = {
    "output": {"class": "softmax", "loss": "ce", "from": "data", "target": "classes"},
    "sil": {"class": "linear", "activation": "softmax", "loss": "ce", "from": "data", "target": "silence", "n_out": 5},
    "no_silence": {"class": "framewise_statistics", "sil_label_idx": 4, "from": "output", "is_output_layer": True},
    "only_silence": {"class": "framewise_statistics", "sil_label_idx": 1, "histogram_num_bins": 3, "from": "sil", "is_output_layer": True},
}
batch = {"seq_lens": {"data": [3, 2], "classes": [3, 2], "silence": [3, 2]}, "values": {"classes": [[0, 2, 1], [3, 3, 0]], "silence": [[1, 1, 1], [1, 1, 0]]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 140

# RETURNN cannot start its loop over the sequences with TensorFlow 2 (a scalar where a vector grows): recorded with an empty vector there.
feature_tags = ["deep_clustering"]
extern_data = {"data": {"dim": 6}, "y": {"dim": 8}}
network = {
    "a": {"class": "linear", "activation": "tanh", "n_out": 8, "from": "data"},
    "output": {"class": "linear", "activation": "tanh", "n_out": 8, "loss": "deep_clustering", "from": "a", "target": "y",
               "loss_opts": {"embedding_dimension": 2, "nr_of_sources": 2}},
}
batch = {"seq_lens": {"data": [6, 5, 2], "y": [6, 5, 2]}, "values": {"y": {"dist": "uniform"}}}
updater = {"optimizer": {"class": "gradientdescent"}, "learning_rate": 0.01}
seed = 206

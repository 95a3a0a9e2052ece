feature_tags = ["time_chunking", "time_unchunking", "rec"]
extern_data = {"data": {"dim": 4}, "classes": {"dim": 5, "sparse": True}}
network = {
    "in": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"},
    "chunk": {"class": "time_chunking", "chunk_size": 5, "chunk_step": 2, "from": "in"},
    "fw": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "direction": 1, "from": "chunk"},
    "bw": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "direction": -1, "from": "chunk"},
    "joined": {"class": "time_unchunking", "chunking_layer": "chunk", "from": ["fw", "bw"]},
    "apart": {"class": "time_chunking", "chunk_size": 2, "chunk_step": 3, "from": "in"},
    "holes": {"class": "time_unchunking", "chunking_layer": "apart", "from": "apart"},
    "output": {"class": "softmax", "from": ["joined", "in"], "loss": "ce", "target": "classes"},
}
network["holes"]["is_output_layer"] = True
batch = {"seq_lens": {"data": [8, 2, 5], "classes": [8, 2, 5]}}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
seed = 487

# cond: parameters of both branches, a condition of its own.
extern_data = {"data": {"dim": 5}, "classes": {"dim": 4, "sparse": True}}
network = {
    "src": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "data"},
    "other": {"class": "linear", "activation": "relu", "n_out": 6, "from": "src"},
    "even": {"class": "eval", "from": [], "eval": "tf.equal(self.network.global_train_step % 2, 0)",
             "out_type": {"batch_dim_axis": None, "shape": (), "dtype": "bool"}},
    "c1": {"class": "cond", "from": [], "condition": "even", "true_layer": {"class": "copy", "from": "other"},
           "false_layer": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "src"}},
    "c2": {"class": "cond", "from": [],
           "condition": {"class": "eval", "from": [], "eval": "tf.greater(self.network.global_train_step, 0)",
                         "out_type": {"batch_dim_axis": None, "shape": (), "dtype": "bool"}},
           "true_layer": {"class": "subnetwork", "from": "src", "subnetwork": {
               "a": {"class": "linear", "activation": "sigmoid", "n_out": 6, "from": "data"},
               "output": {"class": "combine", "kind": "mul", "from": ["data", "a"]}}},
           "false_layer": {"class": "linear", "activation": None, "n_out": 6, "from": "src"}},
    "output": {"class": "softmax", "from": ["c1", "c2"], "loss": "ce", "target": "classes"},
}
updater = {"optimizer": {"class": "adam"}, "learning_rate": 0.01}
